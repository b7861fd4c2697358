import type { Scenario } from "./scenarios.js";

/** What the bench asks a contender's process. Opening and closing are answered with null. */
export type Request =
  | { readonly kind: "open"; readonly place: Place }
  | { readonly kind: "measure"; readonly scenario: Scenario }
  | { readonly kind: "close" };

/** Where a contender works. */
export interface Place {
  /** An empty folder on the disk that the servers use too. */
  readonly folder: string;
  /** An empty database of the PostgreSQL server; empty text for who does not use it. */
  readonly databaseUrl: string;
  /** Of the Redis server; 0 for who does not use it. */
  readonly redisPort: number;
  /** Of the Restate server; 0 for who does not use it. */
  readonly ingressPort: number;
  readonly adminPort: number;
  /** Where the statements sent to PostgreSQL are written to, or read from; empty text: nowhere. */
  readonly recording: string;
}

export interface Measured {
  readonly runs: number;
  /** Durable acts of these runs. */
  readonly steps: number;
  /** From the first start to the last end. */
  readonly wallMs: number;
  /** One per run, unsorted. */
  readonly latenciesMs: readonly number[];
  /** Processor time of the contender's process. */
  readonly cpuMs: number;
  /** Of runs of 1,000 steps: the time of steps 901 to 1,000 divided by that of steps 1 to 100. */
  readonly growths: readonly number[];
  /** What else is worth saying, such as statements of a replay that gave another result. */
  readonly notes: readonly string[];
}
