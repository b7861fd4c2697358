import type { EventScenario } from "./scenarios.js";

/** What the bench asks a contender's process. Opening and closing are answered with null. */
export type Request =
  | { readonly kind: "open"; readonly place: Place }
  | { readonly kind: "measure"; readonly scenario: EventScenario }
  | { readonly kind: "close" };

/** Where a contender works. */
export interface Place {
  /** An empty folder on the disk that the servers use too. */
  readonly folder: string;
  /** An empty database of the PostgreSQL server; empty text for who does not use it. */
  readonly databaseUrl: string;
  /** Of the NATS server; empty text for who does not use it. */
  readonly natsUrl: string;
  /** A stream that does not exist yet, and the first word of its subjects. */
  readonly stream: string;
}

export interface Measured {
  /** Each with all of its effects, each of them once. */
  readonly acts: number;
  /** From the first begin to the last end. */
  readonly wallMs: number;
  /** One per act, unsorted. Of an event: to the begin of its handler. Of a saga: to its end. */
  readonly latenciesMs: readonly number[];
  /** Processor time of the contender's process. */
  readonly cpuMs: number;
}
