import type { Logger } from "../log.js";
import type { Participant } from "../participants/participant.js";
import type { Ports } from "../ports.js";
import type { BatchStore } from "../store/batch-store.js";
import type { RunStore } from "../store/run-store.js";
import type { ApartGate } from "./apart-gate.js";
import type { EntitySource } from "./sources/resolve-source.js";

/** What the batches of this process have in common. */
export interface BatchEnvironment {
  readonly store: BatchStore;
  readonly runs: Pick<RunStore, "get" | "signal">;
  readonly participants: Readonly<Record<string, Participant>>;
  /** By the names of entities. */
  readonly entities: Readonly<Record<string, EntitySource>>;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly gate: ApartGate;
  readonly counters: BatchCounters;
  /** The worker's, which owns chunks as it owns runs. */
  readonly workerId: () => string;
  /** False: its lease may have expired, and chunks are somebody else's. */
  readonly trusted: () => boolean;
  /** A message lies in the inbox of the run. */
  readonly messaged: (run: string) => void;
}

/** What this process has settled since it started. */
export interface BatchCounters {
  itemsDone: number;
  itemsFailed: number;
  itemsSkipped: number;
  chunks: number;
}
