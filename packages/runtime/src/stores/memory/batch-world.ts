import type { BatchState } from "../../store/batch-state.js";
import type { PlacedFailure, StoredChunk } from "../../store/batch-tables.js";

/** The batches of a memory store, by the id of their run. */
export type BatchWorld = Map<string, StoredBatch>;

interface StoredBatch {
  state: BatchState;
  /** Ordered by their numbers: they are planted in that order. */
  readonly chunks: Map<number, StoredChunk>;
  /** Behind each other by their places. */
  failures: PlacedFailure[];
  lastPlace: number;
}
