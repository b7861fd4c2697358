import { setTimeout as sleep } from "node:timers/promises";
import { type RedisPersistence, startFaultyProxy, startRedis } from "@clean-arch/test-servers";
import { type CleanUp, withCleanUp } from "../clean-up.js";
import { Draws } from "../seeded.js";
import { judgeSessions } from "./oracle/oracle.js";
import { SessionClients } from "./session-clients.js";
import { SessionMischief, sessionFaults } from "./session-faults.js";
import {
  type ContextEnd,
  type ExpiredEvent,
  nowMs,
  type SessionCallEvent,
  type SessionHistory,
  type SessionViolation,
  type SubjectEnd,
} from "./session-history.js";
import { type Answer, SessionInstance } from "./session-instance.js";

export interface SessionChaosOptions {
  readonly seed: number;
  readonly lengthMs: number;
  readonly persistence: RedisPersistence;
  /** Default 3. */
  readonly instances?: number;
  readonly say: (line: string) => void;
}

export interface SessionChaosReport {
  readonly seed: number;
  readonly lengthMs: number;
  readonly persistence: RedisPersistence;
  readonly history: SessionHistory;
  readonly faults: ReadonlyMap<string, number>;
  readonly swallowed: number;
  readonly violations: readonly SessionViolation[];
}

const SUBJECTS = 8;
const PER_SUBJECT = 3;
const SETTINGS = {
  ...{ ttlMs: 5_000, absoluteTtlMs: 20_000, perSubject: PER_SUBJECT, commandTimeoutMs: 500, sweepIntervalMs: 700 },
  ...{ leaseMs: 3_000, contextIdleMs: 30_000 },
};
/** The claim of a sweep whose instance was killed, and the rest. */
const SETTLE_MS = 120_000;
const SAY_EVERY_MS = 30_000;

/**
 * Processes with session managers over one Redis, each behind a network of its own, are killed, cut off and lied to, and so is
 * Redis, while clients use their sessions. Then all is healed, every session comes to its end, and what clients and the
 * listener of expiries saw is judged. Leaves no process and no folder behind.
 */
export function runSessionChaos(options: SessionChaosOptions): Promise<SessionChaosReport> {
  return withCleanUp(options.say, (cleanUp) => live(options, cleanUp));
}

async function live(
  { seed, lengthMs, persistence, instances: count = 3, say }: SessionChaosOptions,
  cleanUp: CleanUp,
): Promise<SessionChaosReport> {
  const redis = await startRedis({ persistence });
  cleanUp.push(() => redis.remove());
  const calls: SessionCallEvent[] = [];
  const expired: ExpiredEvent[] = [];
  const errors: string[] = [];
  const instances: SessionInstance[] = [];
  for (let slot = 1; slot <= count; slot += 1) {
    const draws = new Draws(seed, "proxy", slot);
    const instance = new SessionInstance({
      ...{ slot, settings: SETTINGS, proxy: await startFaultyProxy({ to: redis.port, random: () => draws.float() }) },
      onExpired: (session, expiredAt) => void expired.push({ session, at: nowMs(), expiredAt }),
      onDied: (name, output) => {
        errors.push(`${name} ended and nobody had killed it:\n${output}`);
        instance.boot();
      },
    });
    instances.push(instance);
    cleanUp.push(() => instance.close());
    instance.boot();
  }
  await allReady(instances);

  const mischief = new SessionMischief(seed, redis, instances);
  const clients = new SessionClients({
    ...{ seed, instances, calls, errors, subjects: SUBJECTS, perSubject: PER_SUBJECT, idleMs: SETTINGS.ttlMs },
  });
  const startedAt = performance.now();
  clients.start();
  mischief.start(sessionFaults(seed, lengthMs, SETTINGS.commandTimeoutMs));
  for (let left = lengthMs; left > 0; left = lengthMs - (performance.now() - startedAt)) {
    await sleep(Math.min(left, SAY_EVERY_MS));
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
    say(`${seconds} s: ${calls.length} calls, ${expired.length} expiries told, ${errors.length} errors`);
  }
  await mischief.heal();
  await clients.stop();
  await allReady(instances);

  const asker = instances[0] as SessionInstance;
  const subjects = await subjectsInTheEnd(asker, clients.subjects, calls);
  const promises = { persistence, absoluteMs: SETTINGS.absoluteTtlMs, perSubject: PER_SUBJECT };
  const seen = { calls, expired, errors, redisKills: mischief.redisKills, subjects, contexts: [], living: [] };
  // Each session has its end, and somebody is told of it.
  const until = performance.now() + SETTLE_MS;
  const untold = (): boolean => judgeSessions(seen, promises).some(({ rule }) => rule === "expiry-untold");
  while (untold() && performance.now() < until) await sleep(1_000);

  const contexts = await contextsInTheEnd(asker, clients.contexts, persistence === "none");
  const history = { ...seen, contexts, living: instances.map(({ name }) => name) };
  const swallowed = instances.reduce((sum, { proxy }) => sum + proxy.counts.swallowed, 0);
  const violations = judgeSessions(history, promises);
  return { seed, lengthMs, persistence, history, faults: mischief.counts, swallowed, violations };
}

async function allReady(instances: readonly SessionInstance[]): Promise<void> {
  while (!instances.every(({ isReady }) => isReady)) await sleep(20);
}

/** Between list and reading by id a session may expire, so only what is there before and after counts. */
async function subjectsInTheEnd(
  asker: SessionInstance,
  subjects: readonly string[],
  calls: readonly SessionCallEvent[],
): Promise<SubjectEnd[]> {
  const ends: SubjectEnd[] = [];
  for (const subject of subjects) {
    const known = new Set(
      calls.flatMap((call) => (call.subject === subject && call.session !== null ? [call.session] : [])),
    );
    const liveNow = async (): Promise<string[]> => {
      const found = await Promise.all(
        [...known].map(async (id) => ((await answerOf(asker, "get", id)) === null ? [] : [id])),
      );
      return found.flat();
    };
    const before = await liveNow();
    const page = (await answerOf(asker, "list", subject)) as { readonly items: readonly { readonly id: string }[] };
    const after = await liveNow();
    const listed = page.items.map(({ id }) => id).filter((id) => known.has(id));
    const steady = (id: string): boolean => before.includes(id) === after.includes(id);
    ends.push({ subject, listed: listed.filter(steady), live: after.filter(steady) });
  }
  return ends;
}

/** A lease later: who died last has heirs by then. Without persistence they may all be gone. */
async function contextsInTheEnd(
  asker: SessionInstance,
  ids: readonly string[],
  mayBeGone: boolean,
): Promise<ContextEnd[]> {
  await sleep(2 * SETTINGS.leaseMs);
  const ends: ContextEnd[] = [];
  for (const id of ids) {
    const owner = (await answerOf(asker, "ownerOf", id)) as string | null;
    if (owner !== null || !mayBeGone) ends.push({ id, owner });
  }
  return ends;
}

/** Nothing goes wrong any more, so an answer comes. */
async function answerOf(asker: SessionInstance, call: string, arg: string): Promise<unknown> {
  for (;;) {
    const answer: Answer = await asker.ask(call, arg);
    if (answer.kind === "answered") return answer.result;
    await sleep(50);
  }
}
