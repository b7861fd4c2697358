import type { SessionStore } from "../../store/session-store.js";
import { describeTimed, describeTimeless, type Lifetime } from "./session-call.js";
import { type Pause, SessionClients } from "./session-clients.js";
import { SessionHistory } from "./session-history.js";

export interface SessionCheckOptions {
  readonly seeds: readonly number[];
  readonly stores: readonly SessionStore[];
  readonly pause: Pause;
  /** The store's clock, when only this check moves it. Without: the store's is the real one, and nothing may end by it. */
  readonly time?: { now(): number; advance(ms: number): void | Promise<void> };
  /** Per client, between two movements of the clock. Default 5. */
  readonly calls?: number;
  /** Default 4. */
  readonly clients?: number;
}

export interface SessionCheckReport {
  readonly operations: number;
  /** Of them, whose outcome nobody was told. */
  readonly unknown: number;
  /** Two calls of one seed under way at once, at least. */
  readonly overlapping: number;
  readonly answers: ReadonlyMap<string, number>;
}

const TIMED: Lifetime = { idleMs: 1_000, absoluteMs: 3_000 };
const ENDLESS: Lifetime = { idleMs: 3_600_000, absoluteMs: 3_600_000 };
/** From below what a touch needs to beyond the deadline. */
const STEPS_MS = [60, 150, 700, 1_100];

/** Runs the clients of all seeds side by side. Throws with the first seed whose answers no order explains, and its history. */
export async function checkSessions(options: SessionCheckOptions): Promise<SessionCheckReport> {
  const { seeds, stores, pause, time, calls = 5, clients = 4 } = options;
  const now = time?.now() ?? 0;
  const worlds = seeds.map((seed) => {
    const timing =
      time === undefined ? { ...ENDLESS, describe: describeTimeless } : { ...TIMED, describe: describeTimed };
    const history = new SessionHistory({ now, ...timing });
    const drawn = time === undefined ? { limits: false, graces: [0, 3_600_000] } : {};
    return { seed, history, clients: new SessionClients({ seed, stores, history, clients, pause, ...drawn }) };
  });
  const steps =
    time === undefined
      ? [0]
      : [0, ...STEPS_MS.map((_, n) => STEPS_MS[(n + (seeds[0] ?? 0)) % STEPS_MS.length] as number)].slice(0, 3);
  for (const stepMs of steps) {
    if (stepMs > 0) {
      await time?.advance(stepMs);
      for (const { history } of worlds) history.advanced(stepMs);
    }
    await Promise.all(worlds.map((world) => world.clients.run(calls)));
  }
  const answers = new Map<string, number>();
  const report = { operations: 0, unknown: 0, overlapping: 0 };
  for (const { seed, history } of worlds) {
    const trouble = history.check();
    if (trouble !== null) throw new Error(`seed ${seed}: ${trouble}`);
    report.operations += history.operations.length;
    report.unknown += history.unknown;
    for (const { invokedAt, returnedAt, call, answer } of history.operations) {
      if (returnedAt > invokedAt + 1) report.overlapping += 1;
      const kind = `${call.kind} ${/^(revision|ended)/.exec(answer ?? "unknown")?.[0] ?? answer ?? "unknown"}`;
      answers.set(kind, (answers.get(kind) ?? 0) + 1);
    }
  }
  return { ...report, answers };
}
