import type { BatchState } from "../../store/batch-state.js";
import type { BatchRun, BatchTables, PlacedFailure, StoredChunk } from "../../store/batch-tables.js";
import type { Database, SqlValue } from "./database.js";
import { isActive, isAlive } from "./leases.js";

/** The members of a batch's state, each a column. */
const MEMBERS = [
  ...(["run", "status", "round", "told", "concurrency", "maxFailures", "maxFailureRatio", "rateMax"] as const),
  ...(["rateWindowMs", "leader", "leadFence", "cursor", "next", "isEnd", "total", "planted", "done"] as const),
  ...(["failed", "skipped", "forgivenFailed", "forgivenSettled", "openChunks", "ownedChunks", "nextAt"] as const),
  ...(["failure", "haltedFailed", "haltedSettled", "startedAt", "updatedAt", "endedAt"] as const),
  ...(["markAt", "markSettled", "priorAt", "priorSettled"] as const),
] satisfies readonly (keyof BatchState)[];

const COLUMNS = MEMBERS.map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));

const SELECT_BATCHES = `select ${MEMBERS.map((name, index) => `${COLUMNS[index]} as "${name}"`).join(", ")} from clean_arch_batches`;
const SAVE_BATCH = `insert or replace into clean_arch_batches (${COLUMNS.join(", ")}) values (${COLUMNS.map(() => "?").join(", ")})`;

const SELECT_CHUNKS = `select n, size, fence, owner, crashes, under_way as "underWay", marked_key as "markedKey",
  marked_crashes as "markedCrashes", source_from as "from", source_to as "to", items from clean_arch_batch_chunks`;
const SAVE_CHUNK = `insert or replace into clean_arch_batch_chunks
  (run, n, size, fence, owner, crashes, under_way, marked_key, marked_crashes, source_from, source_to, items)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const SELECT_FAILURES = `select place, key, item, attempts, error, failed_at as "failedAt" from clean_arch_batch_failures`;
const ADD_FAILURE = `insert into clean_arch_batch_failures (run, key, item, attempts, error, failed_at) values (?, ?, ?, ?, ?, ?)`;

export function sqliteBatchTables(db: Database, now: number): BatchTables {
  const batchesBy = (rest: string, params: readonly SqlValue[]): BatchState[] =>
    db.all<BatchRow>(`${SELECT_BATCHES} ${rest}`, params).map(batchState);
  const chunksBy = (rest: string, params: readonly SqlValue[]): StoredChunk[] =>
    db.all<StoredChunk>(`${SELECT_CHUNKS} ${rest}`, params).map((chunk) => ({ ...chunk }));
  return {
    runOf: (run) => db.all<BatchRun>("select definition, version, status from clean_arch_runs where id = ?", [run])[0],
    isActive: (worker) => isActive(db, worker, now),
    isAlive: (worker) => isAlive(db, worker),

    batch: (run) => batchesBy("where run = ?", [run])[0],
    saveBatch: (batch) =>
      void db.run(
        SAVE_BATCH,
        MEMBERS.map((name) => sqlValue(batch[name])),
      ),
    untold: () => batchesBy("where told = 0 order by run", []),

    chunk: (run, n) => chunksBy("where run = ? and n = ?", [run, n])[0],
    saveChunk: (run, chunk) =>
      void db.run(SAVE_CHUNK, [
        run,
        chunk.n,
        chunk.size,
        chunk.fence,
        chunk.owner,
        chunk.crashes,
        chunk.underWay,
        chunk.markedKey,
        chunk.markedCrashes,
        chunk.from,
        chunk.to,
        chunk.items,
      ]),
    deleteChunk: (run, n) => void db.run("delete from clean_arch_batch_chunks where run = ? and n = ?", [run, n]),
    ownedBy: (run, worker) => chunksBy("where owner = ? and run = ? order by n", [worker, run]),
    free: (run, limit) => chunksBy("where run = ? and owner is null order by n limit ?", [run, limit]),
    deleteFree: (run) => db.run("delete from clean_arch_batch_chunks where run = ? and owner is null", [run]).changes,
    runsOfOwner: (worker) =>
      db
        .all<{ run: string }>("select distinct run from clean_arch_batch_chunks where owner = ?", [worker])
        .map(({ run }) => run),

    addFailure: (run, { key, item, attempts, error, failedAt }) =>
      void db.run(ADD_FAILURE, [run, key, item, attempts, error, failedAt]),
    failures: (run, after, limit) =>
      db.all<PlacedFailure>(`${SELECT_FAILURES} where run = ? and place > ? order by place limit ?`, [
        run,
        after,
        limit,
      ]),
    deleteFailures: (run, upTo) =>
      void db.run("delete from clean_arch_batch_failures where run = ? and place <= ?", [run, upTo]),
  };
}

type BatchRow = Omit<BatchState, "told" | "isEnd"> & { readonly told: number; readonly isEnd: number };

function batchState(row: BatchRow): BatchState {
  return { ...row, told: row.told === 1, isEnd: row.isEnd === 1 };
}

function sqlValue(member: BatchState[keyof BatchState]): SqlValue {
  return typeof member === "boolean" ? Number(member) : member;
}
