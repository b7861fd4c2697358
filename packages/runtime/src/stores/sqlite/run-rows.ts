import type { JournalRow } from "../../engine/records.js";
import { RuntimeError } from "../../errors.js";
import type { Json } from "../../json.js";
import type { Checkpoint, ClaimedRun, InboxEntry, RunRow } from "../../store/run-store.js";
import type { Database, SqlValue } from "./database.js";

/** Rows of the tables as the contract's objects, and the reads that several calls share. */

type Columns = Record<string, SqlValue>;

/** All of a run but its journal; `seq` and `updatedAt` follow the newest journal row. */
const RUN_COLUMNS = `
  id, tenant, type, definition, version, status, failure_reason, rollback_status as "rollbackStatus", root_id as "rootId",
  parent_id as "parentId", restarted_from as "restartedFrom", key, input_hash as "inputHash", business_key as "businessKey", attributes,
  session_id as "sessionId", queue, partition_key as "partitionKey", priority, start_at as "startAt", begun_at as "begunAt", created_at as "createdAt", ended_at as "endedAt",
  wake_at as "wakeAt", owner, fence, output, input,
  max(updated_at, coalesce((select j.at from clean_arch_journal j where j.run = id order by j.seq desc limit 1), 0)) as "updatedAt",
  coalesce((select max(j.seq) from clean_arch_journal j where j.run = id), 0) as seq`;

/** Runs that fit `rest`: everything after the table's name. */
export function selectRuns(db: Database, rest: string, params: readonly SqlValue[]): RunRow[] {
  return db
    .all<Columns>(`select ${RUN_COLUMNS} from clean_arch_runs ${rest}`, params)
    .map(({ failure_reason, attributes, input, output, ...row }) => ({
      ...(row as unknown as RunRow),
      attributes: attributes === null ? null : (JSON.parse(attributes as string) as RunRow["attributes"]),
      failureReason: failure_reason === null ? null : (JSON.parse(failure_reason as string) as RunRow["failureReason"]),
      input: JSON.parse(input as string) as Json,
      output: JSON.parse(output as string) as Json,
    }));
}

export function selectRun(db: Database, id: string): RunRow | undefined {
  return selectRuns(db, "where id = ?", [id])[0];
}

export function selectJournal(db: Database, run: string, afterSeq: number, limit: number): JournalRow[] {
  const sql = `select v, seq, fence, append_id, at, codec, key_id, records from clean_arch_journal where run = ? and seq > ? order by seq limit ?`;
  return db
    .all<Columns>(sql, [run, afterSeq, limit])
    .map(({ v, seq, fence, append_id, at, codec, key_id, records }) => {
      if (v !== 1 || codec !== null || key_id !== null) {
        const message = `expected journal row ${seq} of run ${run} in format 1, got format ${v}, codec ${codec}: a newer version wrote it; upgrade this one`;
        throw new RuntimeError("store-incompatible", message, { run, seq });
      }
      return { v, run, seq, fence, appendId: append_id, at, records: JSON.parse(records as string) } as JournalRow;
    });
}

/** Unconsumed entries of the runs that `condition` names, in the order of their arrival. */
export function selectInbox(db: Database, condition: string, params: readonly SqlValue[]): InboxEntry[] {
  const sql = `select run, id, kind, name, actor, at, payload from clean_arch_inbox where consumed = 0 and run ${condition} order by run, n`;
  return db
    .all<Columns>(sql, params)
    .map(({ payload, ...entry }) => ({ ...entry, payload: JSON.parse(payload as string) }) as InboxEntry);
}

/** Newest first. */
export function selectCheckpoints(db: Database, run: string, limit: number): Checkpoint[] {
  const sql = `select run, fence, n, seq, at, context from clean_arch_checkpoints where run = ? order by fence desc, n desc limit ?`;
  return db
    .all<Columns>(sql, [run, limit])
    .map(({ context, ...row }) => ({ ...row, context: JSON.parse(context as string) }) as unknown as Checkpoint);
}

/** Everything the new owner of a run needs. */
export function selectClaimed(db: Database, id: string): ClaimedRun {
  const run = selectRun(db, id);
  if (!run) throw new RuntimeError("internal", `expected run ${id} in the transaction that claimed it, got none`);
  const [checkpoint = null] = selectCheckpoints(db, id, 1);
  return {
    run,
    rows: selectJournal(db, id, 0, Number.MAX_SAFE_INTEGER),
    inbox: selectInbox(db, "= ?", [id]),
    checkpoint,
  };
}
