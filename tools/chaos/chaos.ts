import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { RunStore } from "@clean-arch/runtime";
import { createPostgresRunStore } from "@clean-arch/runtime/postgres";
import { type Postgres, startFaultyProxy, startPostgres } from "@clean-arch/test-servers";
import { type GeneratedService, generateService } from "../e2e/generated-service.js";
import { Clients } from "./clients.js";
import { faultSchedule, MOST_SKEW_MS } from "./faults/fault-schedule.js";
import { Mischief } from "./faults/mischief.js";
import { Owners } from "./faults/owners.js";
import { findLibfaketime, skewedClock } from "./faults/skewed-clock.js";
import { History } from "./history.js";
import { Instance } from "./instance.js";
import { Operators } from "./operators.js";
import { takeovers } from "./oracle/journal.js";
import { judge } from "./oracle/oracle.js";
import { see, type Violation } from "./oracle/seen.js";
import { type Participants, startParticipants } from "./participants/participants.js";
import type { ChaosReport } from "./report.js";
import { type ChaosConfig, readChaosConfig } from "./saga-shapes.js";
import { Draws } from "./seeded.js";

export interface ChaosOptions {
  readonly seed: number;
  readonly lengthMs: number;
  /** Processes of the service. Default 5: two of them are always left in peace. */
  readonly instances?: number;
  /** Starts in a second. Default 10. */
  readonly perSecond?: number;
  /** See fault-schedule.ts. Default 1. */
  readonly pace?: number;
  /** A service that was generated and built before; default: one is made, and removed afterwards. */
  readonly folder?: string;
  /** Where the instances' logs are kept; default: nowhere. */
  readonly logs?: string;
  readonly say: (line: string) => void;
}

const CONFIG = fileURLToPath(new URL("chaos-service.yaml", import.meta.url));
/** As the config says. */
const LEASE_MS = 3_000;
const CALL_TIMEOUT_MS = 1_500;
/** Work of a killed instance is taken over within the lease and so much more. */
const TAKEOVER_SLACK_MS = 2_000;
/** What everything may take to come to its end, once nothing goes wrong any more. */
const SETTLE_MS = 180_000;
const SAY_EVERY_MS = 30_000;

/**
 * Processes of a generated service on one PostgreSQL, each behind a network of its own, are killed, stopped, cut off and
 * lied to about the time while clients start sagas; the participants keep the books. Then all is healed, everything comes
 * to its end, and what the participants and the clients saw is judged. Leaves no process and no folder behind.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const cleanUp: (() => Promise<unknown>)[] = [];
  let interrupt: (signal: NodeJS.Signals) => void = () => {};
  const interrupted = new Promise<never>((_, reject) => {
    interrupt = (signal) => reject(new Error(`stopped by ${signal}`));
  });
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    return await Promise.race([build(options, cleanUp).then((world) => live(options, world)), interrupted]);
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    // The last made goes first; one that fails does not keep the others.
    for (const end of cleanUp.reverse()) await end().catch((error: unknown) => options.say(`cleaning up: ${error}`));
  }
}

interface World {
  readonly config: ChaosConfig;
  readonly history: History;
  readonly postgres: Postgres;
  readonly participants: Participants;
  readonly instances: readonly Instance[];
  readonly store: RunStore;
  readonly died: Violation[];
  readonly clocks: string;
}

async function build(options: ChaosOptions, cleanUp: (() => Promise<unknown>)[]): Promise<World> {
  const { seed, say } = options;
  const config = readChaosConfig(await readFile(CONFIG, "utf8"));
  const service: Pick<GeneratedService, "folder" | "remove"> =
    options.folder === undefined
      ? await generateService(CONFIG)
      : { folder: options.folder, remove: () => Promise.resolve() };
  cleanUp.push(() => service.remove());
  const folder = await mkdtemp(join(tmpdir(), "chaos-"));
  cleanUp.push(() => rm(folder, { recursive: true, force: true }));
  const postgres = await startPostgres({ settings: { max_connections: 300 } });
  cleanUp.push(() => postgres.remove());
  const history = new History();
  const participants = await startParticipants({ seed, timeoutMs: CALL_TIMEOUT_MS, history });
  cleanUp.push(() => participants.close());
  const store = createPostgresRunStore({ url: postgres.url(), connections: 1 });
  await store.open();
  cleanUp.push(() => store.close());

  const died: Violation[] = [];
  const library = findLibfaketime();
  const draws = new Draws(seed, "instances");
  const instances: Instance[] = [];
  for (let slot = 1; slot <= (options.instances ?? 5); slot++) {
    const proxy = await startFaultyProxy({ to: postgres.port, random: () => draws.float() });
    const skewMs = Math.round(draws.between(-MOST_SKEW_MS, MOST_SKEW_MS));
    const instance = new Instance({
      ...{ folder: service.folder, slot, proxy, logs: options.logs ?? null },
      clock: await skewedClock(library, join(folder, `clock-${slot}`), skewMs),
      databaseUrl: `postgresql://postgres@127.0.0.1:${proxy.port}/postgres`,
      serviceUrls: (life) =>
        Object.fromEntries(
          config.services.map((name) => [`SERVICES_${name.toUpperCase()}_URL`, participants.url(life, name)]),
        ),
      onDied: (life, output) => {
        died.push({ rule: "died", run: null, message: `${life} ended and nobody had killed it:\n${output}` });
        say(`${life} ended by itself`);
        void sleep(200).then(() => instance.boot());
      },
    });
    instances.push(instance);
    cleanUp.push(() => instance.close());
  }
  await Promise.all(instances.map((instance) => instance.boot()));
  return { config, history, postgres, participants, instances, store, died, clocks: library ?? "the preload module" };
}

async function live(options: ChaosOptions, world: World): Promise<ChaosReport> {
  const { seed, lengthMs, perSecond = 10, pace = 1, say } = options;
  const { config, history, postgres, participants, instances, store, died } = world;
  const clients = new Clients({
    ...{ seed, instances, history, perSecond, maxOpen: perSecond * 15 },
    definitions: [...config.sagas.keys()],
  });
  const owners = new Owners(store);
  const operators = new Operators({ seed, instances, clients, history, everyMs: 1_500 });
  const mischief = new Mischief({ seed, instances, postgres, history, owners });
  const startedAt = performance.now();
  clients.start();
  operators.start();
  mischief.start(faultSchedule({ seed, lengthMs, leaseMs: LEASE_MS, pace }));
  for (let left = lengthMs; left > 0; left = lengthMs - (performance.now() - startedAt)) {
    await sleep(Math.min(left, SAY_EVERY_MS));
    const faults = [...mischief.counts].map(([kind, count]) => `${kind} ${count}`).join(", ");
    say(
      `${((performance.now() - startedAt) / 1_000).toFixed(0)} s: ${clients.runs.length} runs, ${clients.open.length} open; ${faults}`,
    );
  }

  await mischief.heal();
  participants.calm();
  await operators.stop();
  await clients.stop();
  await owners.settle();
  await settle(clients, participants);
  // Told once more, by anybody: an end that was told stays what it was.
  for (const run of clients.runs) await clients.look(run);

  const journals = new Map<string, Awaited<ReturnType<RunStore["journal"]>>>();
  for (const run of new Set(history.events.flatMap((event) => ("run" in event ? [event.run] : []))))
    journals.set(run, await store.journal(run));
  const seen = see(history.events, config, CALL_TIMEOUT_MS);
  const outages = seen.faults.filter(({ fault }) => fault === "restart");
  const found = takeovers(owners.orphaned, journals, outages);
  const takeoverBoundMs = LEASE_MS + TAKEOVER_SLACK_MS;
  const violations = [...judge({ seen, journals, takeovers: found, takeoverBoundMs }), ...died];
  return {
    ...{ seed, lengthMs, events: history.events, violations, journals, takeovers: found },
    ...{ leaseMs: LEASE_MS, takeoverSlackMs: TAKEOVER_SLACK_MS },
    ...{ faults: mischief.counts, terminated: mischief.terminated, swallowed: mischief.swallowed },
    ...{ instances: instances.length, clocks: world.clocks, seen },
  };
}

/** Until every run has ended or is parked, and no call of a participant is still to come. */
async function settle(clients: Clients, participants: Participants): Promise<void> {
  const until = performance.now() + SETTLE_MS;
  while ((clients.open.length > 0 || participants.underWay > 0) && performance.now() < until) {
    for (const run of clients.open) await clients.look(run);
    await sleep(500);
  }
}
