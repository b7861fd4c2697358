import { type EncodedAppend, encodeAppend } from "../../store/run-codec.js";
import type { Append, AppendResult } from "../../store/run-store.js";
import type { Database, SqlValue } from "./database.js";
import { deliver } from "./inbox.js";
import { insertAll } from "./outbox.js";

/** The journal's key is the fence: this inserts nothing unless fence and seq are the run's next and it has not ended. */
const INSERT_ROW = `
insert into clean_arch_journal (run, seq, fence, append_id, at, parked, records)
select id, ?, fence, ?, ?, ?, ? from clean_arch_runs
where id = ? and fence = ? and ended_at is null
  and ? = 1 + coalesce((select max(j.seq) from clean_arch_journal j where j.run = id), 0)`;

const TAKEN_ROW = `select at, parked from clean_arch_journal where run = ? and seq = ? and append_id = ?`;

const OTHER_OPEN = `select 1 from clean_arch_inbox where run = ? and consumed = 0 and id not in (select value from json_each(?)) limit 1`;
const CONSUME = `update clean_arch_inbox set consumed = 1 where run = ? and id in (select value from json_each(?))`;
/** At the end: nobody will, and the index of open entries stays small. */
const CONSUME_ALL = `update clean_arch_inbox set consumed = 1 where run = ? and consumed = 0`;

const SNAPSHOT = `insert or replace into clean_arch_checkpoints (run, fence, n, seq, at, context) values (?, ?, ?, ?, ?, ?)`;
const FORGET_SNAPSHOTS = `
delete from clean_arch_checkpoints where run = ? and (fence, n) in
  (select fence, n from clean_arch_checkpoints where run = ? order by fence desc, n desc limit -1 offset ?)`;

/** Within a transaction. Everything but the row itself is written only when the row was. */
export function append(db: Database, element: Append, now: number): AppendResult {
  const encoded = encodeAppend(element);
  const { run, fence, seq, appendId, next, consumed = [], checkpoint } = element;
  const parked = next.kind === "park" && db.all(OTHER_OPEN, [run, JSON.stringify(consumed)]).length === 0;
  const { changes } = db.run(INSERT_ROW, [seq, appendId, now, parked ? 1 : 0, encoded.records, run, fence, seq]);
  if (changes === 0) return sentBefore(db, element);

  const isEnd = next.kind === "finish";
  const unread = isEnd && db.run(CONSUME_ALL, [run]).changes > consumed.length;
  if (!isEnd && consumed.length > 0) db.run(CONSUME, [run, JSON.stringify(consumed)]);
  if (checkpoint) {
    db.run(SNAPSHOT, [run, fence, checkpoint.n, seq, now, encoded.context ?? "null"]);
    db.run(FORGET_SNAPSHOTS, [run, run, checkpoint.keep]);
  }
  changeRun(db, element, encoded, parked, now);
  for (const [index, message] of (element.signals ?? []).entries())
    deliver(db, message, encoded.signals[index] ?? "null", now);
  if (element.events) insertAll(db, element.events, now);
  return isEnd ? { kind: "appended", at: now, parked, unread } : { kind: "appended", at: now, parked };
}

function sentBefore(db: Database, { run, seq, appendId }: Append): AppendResult {
  const [row] = db.all<{ at: number; parked: number }>(TAKEN_ROW, [run, seq, appendId]);
  return row ? { kind: "appended", at: row.at, parked: row.parked === 1 } : { kind: "lease-lost" };
}

/** Touches the run's row only when something in it changes. */
function changeRun(
  db: Database,
  { run, change = {}, next }: Append,
  encoded: EncodedAppend,
  parked: boolean,
  now: number,
): void {
  const columns: Record<string, SqlValue> = {};
  if (change.status) columns.status = change.status;
  if (encoded.failureReason !== undefined) columns.failure_reason = encoded.failureReason;
  if (change.rollbackStatus) columns.rollback_status = change.rollbackStatus;
  if (encoded.output !== undefined) columns.output = encoded.output;
  if (parked && next.kind === "park")
    Object.assign(columns, {
      owner: null,
      crashed: 0,
      ready: 0,
      wake_at: next.delayMs === null ? null : now + next.delayMs,
    });
  if (next.kind === "finish") Object.assign(columns, { owner: null, ready: 0, wake_at: null, ended_at: now });
  const names = Object.keys(columns);
  if (names.length === 0) return;
  db.run(`update clean_arch_runs set ${names.map((name) => `${name} = ?`).join(", ")} where id = ?`, [
    ...Object.values(columns),
    run,
  ]);
}
