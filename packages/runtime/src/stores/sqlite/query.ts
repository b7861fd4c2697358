import type { RunStatus } from "../../engine/records.js";
import type { RunPage, RunQuery } from "../../store/run-store.js";
import type { Database, SqlValue } from "./database.js";
import { selectRuns } from "./run-rows.js";

export function listRuns(db: Database, query: RunQuery): RunPage {
  const { tenant, status, definition, since, sessionId, limit, cursor } = query;
  const conditions: readonly [string, SqlValue | undefined][] = [
    ["tenant = ?", tenant],
    ["status in (select value from json_each(?))", status && JSON.stringify(status)],
    ["definition = ?", definition],
    ["created_at >= ?", since],
    ["session_id = ?", sessionId],
    ["id < ?", cursor],
  ];
  const given = conditions.filter((condition): condition is [string, SqlValue] => condition[1] !== undefined);
  const where = given.length > 0 ? `where ${given.map(([sql]) => sql).join(" and ")}` : "";
  const rows = selectRuns(db, `${where} order by id desc limit ?`, [...given.map(([, value]) => value), limit + 1]);
  const items = rows.slice(0, limit);
  return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

export function countRuns(db: Database): Partial<Record<RunStatus, number>> {
  const rows = db.all<{ status: RunStatus; runs: number }>(
    "select status, count(*) as runs from clean_arch_runs group by status",
  );
  return Object.fromEntries(rows.map(({ status, runs }) => [status, runs]));
}

const ENDED = `select id from clean_arch_runs where ended_at < ? order by ended_at limit ?`;

/** Within a transaction. */
export function prune(db: Database, endedBefore: number, limit: number): number {
  const ids = db.all<{ id: string }>(ENDED, [endedBefore, limit]).map((run) => run.id);
  const listed = JSON.stringify(ids);
  for (const table of ["journal", "inbox", "checkpoints"]) {
    db.run(`delete from clean_arch_${table} where run in (select value from json_each(?))`, [listed]);
  }
  return db.run("delete from clean_arch_runs where id in (select value from json_each(?))", [listed]).changes;
}
