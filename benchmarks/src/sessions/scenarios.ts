import type { Size } from "./session-data.js";

/**
 * What is measured. A read takes the session of the request's cookie and moves its expiry; a write changes one of its 20 fields besides.
 * The load is a closed loop on kept connections; each request takes one of many sessions by chance.
 */
export interface SessionScenario {
  readonly name: ScenarioName;
  readonly title: string;
  /** Of the sessions; null: requests without a cookie. */
  readonly size: Size | null;
  /** Every so many requests one is a write; 0: none. */
  readonly writeEvery: number;
  /** Added to each round trip between the contender and Redis, ms. */
  readonly addedMs: number;
  readonly connections: number;
  /** How long requests are started, ms; those on their way then are counted too, with the time that they take. */
  readonly startFor: number;
}

export type ScenarioName = "read-300" | "read-2k" | "read-16k" | "write-2k" | "anonymous" | "read-2k-1ms";

/** So many that no session is asked for twice at the same time, and that Redis has more than a processor's cache to look into. */
export const SESSIONS = 10_000;

const plain = { writeEvery: 0, addedMs: 0, connections: 64, startFor: 2_000 } as const;

export const SCENARIOS: readonly SessionScenario[] = [
  { ...plain, name: "read-300", title: "read and touch, 0.3 kB", size: "300" },
  { ...plain, name: "read-2k", title: "read and touch, 2 kB", size: "2k", startFor: 3_000 },
  { ...plain, name: "read-16k", title: "read and touch, 16 kB", size: "16k" },
  { ...plain, name: "write-2k", title: "one request of ten changes one field of 20, 2 kB", size: "2k", writeEvery: 10 },
  { ...plain, name: "anonymous", title: "no cookie", size: null },
  { ...plain, name: "read-2k-1ms", title: "read and touch, 2 kB, Redis 1 ms further away", size: "2k", addedMs: 1 },
];
