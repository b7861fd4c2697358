import { progressOf } from "../../store/batch-state.js";
import type { BatchStore } from "../../store/batch-store.js";
import type { BatchTables } from "../../store/batch-tables.js";
import {
  activeBatches,
  closeBatch,
  halt,
  lead,
  listFailures,
  mark,
  openBatch,
  requeue,
  told,
} from "../../store/local-batches.js";
import { advance, plant } from "../../store/local-chunks.js";
import { memoryBatchTables } from "./batch-tables.js";
import { beginChunk } from "./chunk-transaction.js";
import type { MemoryWorld } from "./world.js";

/** `answer` runs a call while the run store is open, and gives it the store's time. */
export function createMemoryBatches(
  world: MemoryWorld,
  answer: <T>(call: (now: number) => T) => Promise<T>,
  clock: () => number,
): BatchStore {
  const call = <T>(body: (tables: BatchTables, now: number) => T): Promise<T> =>
    answer((now) => body(memoryBatchTables(world, now), now));
  return {
    open: (batch, round) => call((tables, now) => openBatch(tables, batch, round, now)),
    active: (worker, definitions) => call((tables) => activeBatches(tables, worker, definitions)),
    lead: (run, worker) => call((tables, now) => lead(tables, run, worker, now)),
    plant: (request) => call((tables, now) => plant(tables, request, now)),
    halt: (run, fence, failure) => call((tables, now) => halt(tables, run, fence, failure, now)),
    advance: (request) => call((tables, now) => advance(tables, request, now)),
    mark: (chunk, key) => call((tables) => mark(tables, chunk, key)),
    begin: (chunk) => answer(() => beginChunk(world, chunk, clock)),
    close: (run) => call((tables, now) => closeBatch(tables, run, now)),
    told: (run, round) => call((tables) => told(tables, run, round)),
    get: (run) =>
      call((tables, now) => {
        const batch = tables.batch(run);
        return batch && progressOf(batch, now);
      }),
    failures: (run, query) => call((tables) => listFailures(tables, run, query)),
    requeue: (run, limit, from) => call((tables, now) => requeue(tables, run, limit, from, now)),
  };
}
