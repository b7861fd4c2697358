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
import { sqliteBatchTables } from "./batch-tables.js";
import { beginChunk } from "./chunk-transaction.js";
import type { SqliteCalls } from "./event-store.js";

/** The batches of a run store, in its file. */
export function createSqliteBatches({ answer, write, now }: SqliteCalls): BatchStore {
  const reading = <T>(body: (tables: BatchTables, at: number) => T): Promise<T> =>
    answer((db, at) => body(sqliteBatchTables(db, at), at));
  const writing = <T>(body: (tables: BatchTables, at: number) => T): Promise<T> =>
    write((db, at) => body(sqliteBatchTables(db, at), at));
  return {
    open: (batch, round) => writing((tables, at) => openBatch(tables, batch, round, at)),
    active: (worker, definitions) => reading((tables) => activeBatches(tables, worker, definitions)),
    lead: (run, worker) => writing((tables, at) => lead(tables, run, worker, at)),
    plant: (request) => writing((tables, at) => plant(tables, request, at)),
    halt: (run, fence, failure) => writing((tables, at) => halt(tables, run, fence, failure, at)),
    advance: (request) => writing((tables, at) => advance(tables, request, at)),
    mark: (chunk, key) => writing((tables) => mark(tables, chunk, key)),
    begin: (chunk) => answer((db) => beginChunk(db, chunk, now)),
    close: (run) => writing((tables, at) => closeBatch(tables, run, at)),
    told: (run, round) => writing((tables) => told(tables, run, round)),
    get: (run) =>
      reading((tables, at) => {
        const batch = tables.batch(run);
        return batch && progressOf(batch, at);
      }),
    failures: (run, query) => reading((tables) => listFailures(tables, run, query)),
    requeue: (run, limit, from) => writing((tables, at) => requeue(tables, run, limit, from, at)),
  };
}
