import type { BatchScenario } from "./scenarios.js";

/** What the bench asks a contender's process. Opening and closing are answered with null. */
export type Request =
  | { readonly kind: "open"; readonly place: Place }
  | { readonly kind: "measure"; readonly scenario: BatchScenario }
  | { readonly kind: "close" };

/** Where a contender works. */
export interface Place {
  /** An empty database of the PostgreSQL server. */
  readonly databaseUrl: string;
  /** Of a Redis that persists nothing and is empty. */
  readonly redisPort: number;
}

/** Null where the scenario does not have it. */
export interface Measured {
  readonly itemsPerS: number | null;
  /** The most memory that the contender's process had at any time since it began (resident set), MB. */
  readonly peakMb: number;
  /** Median from the start of a run of one step to its end, one after the other, ms: without sleepers, and with them. */
  readonly startAloneMs: number | null;
  readonly startBesideMs: number | null;
  /** From the instant at which they were to wake to the end of the last of them, s. */
  readonly wakeS: number | null;
  /** Processor time of the contender's process. */
  readonly cpuMs: number;
}
