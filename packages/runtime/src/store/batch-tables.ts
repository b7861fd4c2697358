import type { RunStatus } from "../engine/records.js";
import type { EncodedFailure, EncodedSpan } from "./batch-codec.js";
import type { BatchState } from "./batch-state.js";

/**
 * Where a store that runs one call at a time keeps its batches: rows, and no rules. Those are in local-batches.ts. What is read is a
 * copy; a change counts when it is saved. All within the call's transaction.
 */
export interface BatchTables {
  /** The run of a batch, if it is known. */
  runOf(run: string): BatchRun | undefined;
  /** The worker's lease holds. */
  isActive(worker: string): boolean;
  /** Nobody declared it dead. */
  isAlive(worker: string): boolean;

  batch(run: string): BatchState | undefined;
  saveBatch(batch: BatchState): void;
  /** Those whose runs are not told, by the age of their runs. */
  untold(): Iterable<BatchState>;

  chunk(run: string, n: number): StoredChunk | undefined;
  saveChunk(run: string, chunk: StoredChunk): void;
  deleteChunk(run: string, n: number): void;
  /** Lowest first. */
  ownedBy(run: string, worker: string): StoredChunk[];
  /** That nobody owns, lowest first. */
  free(run: string, limit: number): StoredChunk[];
  /** Returns how many. */
  deleteFree(run: string): number;
  /** The runs of whose batches the worker owns chunks. */
  runsOfOwner(worker: string): string[];

  addFailure(run: string, failure: StoredFailure): void;
  /** In the order of their failing, behind a place. */
  failures(run: string, after: number, limit: number): PlacedFailure[];
  /** Those up to that place. */
  deleteFailures(run: string, upTo: number): void;
}

export interface BatchRun {
  readonly definition: string;
  readonly version: string;
  readonly status: RunStatus;
}

export interface StoredChunk extends EncodedSpan {
  readonly n: number;
  fence: number;
  owner: string | null;
  crashes: number;
  /** Key of the item that its owner has begun, if it said so. */
  underWay: string | null;
  markedKey: string | null;
  markedCrashes: number;
}

export interface StoredFailure extends Omit<EncodedFailure, "n"> {
  readonly failedAt: number;
}

export interface PlacedFailure extends StoredFailure {
  /** From 1 on; in a database also with gaps. */
  readonly place: number;
}
