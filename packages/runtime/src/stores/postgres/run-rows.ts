import type { JournalRow } from "../../engine/records.js";
import { RuntimeError } from "../../errors.js";
import type { Json } from "../../json.js";
import type { Checkpoint, ClaimedRun, InboxEntry, RunRow } from "../../store/run-store.js";
import { uuids } from "./binary-arrays.js";
import type { Queryable, Row } from "./connections.js";

/** Rows of the tables as the contract's objects, and the reads that several calls share. */

/** Of the view `run_rows`. PostgreSQL's int8 comes as text, so times are read as floats, which hold them exactly. */
const RUN_COLUMNS = `id::text, tenant, type, definition, version, status, failure_reason, rollback_status as "rollbackStatus",
  root_id as "rootId", parent_id as "parentId", restarted_from as "restartedFrom", key, input_hash as "inputHash",
  business_key as "businessKey", attributes, session_id as "sessionId", queue, partition_key as "partitionKey",
  priority::float8, start_at::float8 as "startAt", begun_at::float8 as "begunAt", created_at::float8 as "createdAt", changed_at::float8 as "updatedAt", ended_at::float8 as "endedAt",
  wake_at::float8 as "wakeAt", owner, fence, seq, output, input`;

function runRow({ failure_reason, input, output, ...row }: Row): RunRow {
  return {
    ...(row as unknown as RunRow),
    failureReason: failure_reason === null ? null : (JSON.parse(String(failure_reason)) as RunRow["failureReason"]),
    input: JSON.parse(String(input)) as Json,
    output: JSON.parse(String(output)) as Json,
  };
}

/** Runs that fit `rest`: everything after the view's name. */
export async function selectRuns(on: Queryable, rest: string, values: readonly unknown[]): Promise<RunRow[]> {
  const rows = await on.query(`select ${RUN_COLUMNS} from :"schema".run_rows ${rest}`, values);
  return rows.map(runRow);
}

const JOURNAL_COLUMNS = `run::text, seq, fence, v, append_id as "appendId", at::float8, codec, key_id, records`;

export async function selectJournal(
  on: Queryable,
  run: string,
  afterSeq: number,
  limit: number,
): Promise<JournalRow[]> {
  const sql = `select ${JOURNAL_COLUMNS} from :"schema".journal where run = $1::uuid and seq > $2 order by seq limit $3`;
  return (await on.query(sql, [run, afterSeq, limit])).map(journalRow);
}

/** Newest first. */
export async function selectCheckpoints(on: Queryable, run: string): Promise<Checkpoint[]> {
  const sql = `select run::text, fence, n, seq, at::float8, context from :"schema".checkpoints where run = $1::uuid order by fence desc, n desc`;
  return (await on.query(sql, [run])).map(checkpointOf);
}

/** Everything the new owner of runs needs, in the order of `ids`. */
export async function selectClaimed(on: Queryable, ids: readonly string[]): Promise<ClaimedRun[]> {
  if (ids.length === 0) return [];
  const listed = [uuids(ids)];
  const runs = await selectRuns(on, "where id = any ($1::uuid[])", listed);
  const rows = await on.query(
    `select ${JOURNAL_COLUMNS} from :"schema".journal where run = any ($1::uuid[]) order by run, seq`,
    listed,
  );
  const inbox = await on.query(
    `select run::text, id, kind, name, actor, at::float8, payload from :"schema".inbox
     where run = any ($1::uuid[]) and not consumed order by run, n`,
    listed,
  );
  const checkpoints = await on.query(
    `select distinct on (run) run::text, fence, n, seq, at::float8, context from :"schema".checkpoints
     where run = any ($1::uuid[]) order by run, fence desc, n desc`,
    listed,
  );
  const byRun = new Map(runs.map((run) => [run.id, { run, rows: [] as JournalRow[], inbox: [] as InboxEntry[] }]));
  for (const row of rows.map(journalRow)) byRun.get(row.run)?.rows.push(row);
  for (const entry of inbox.map(inboxEntry)) byRun.get(entry.run)?.inbox.push(entry);
  const newest = new Map(checkpoints.map(checkpointOf).map((checkpoint) => [checkpoint.run, checkpoint]));
  return ids.flatMap((id) => {
    const found = byRun.get(id);
    return found === undefined ? [] : [{ ...found, checkpoint: newest.get(id) ?? null }];
  });
}

export function inboxEntry({ payload, ...row }: Row): InboxEntry {
  return { ...row, payload: JSON.parse(String(payload)) } as InboxEntry;
}

function journalRow({ codec, key_id, records, ...row }: Row): JournalRow {
  if (row.v !== 1 || codec !== null || key_id !== null) {
    const message = `expected journal row ${row.seq} of run ${row.run} in format 1, got format ${row.v}, codec ${codec}: a newer version wrote it; upgrade this one`;
    throw new RuntimeError("store-incompatible", message, { run: row.run, seq: row.seq });
  }
  return { ...row, records: JSON.parse(String(records)) } as unknown as JournalRow;
}

function checkpointOf({ context, ...row }: Row): Checkpoint {
  return { ...row, context: JSON.parse(String(context)) } as unknown as Checkpoint;
}
