import type { RunStatus } from "../../engine/records.js";
import type { DefinitionRef, RunPage, RunQuery, StrandedRuns } from "../../store/run-store.js";
import type { Database, SqlValue } from "./database.js";
import { selectRuns } from "./run-rows.js";

const HAS = `id in (
  select a.run from (select ? as wanted) w join clean_arch_attributes a
  on a.name = json_extract(w.wanted, '$[0]') and a.value = json_extract(w.wanted, '$[1]'))`;

export function listRuns(db: Database, query: RunQuery): RunPage {
  const { tenant, status, definition, since, until, sessionId, businessKey, attributes, parentId, limit, cursor } =
    query;
  const conditions: readonly [string, SqlValue | undefined][] = [
    ["tenant = ?", tenant],
    ["status in (select value from json_each(?))", status && JSON.stringify(status)],
    ["definition = ?", definition],
    ["created_at >= ?", since],
    ["created_at < ?", until],
    ["session_id = ?", sessionId],
    ["business_key = ?", businessKey],
    ["parent_id = ?", parentId],
    ...Object.entries(attributes ?? {}).map((attribute): [string, string] => [HAS, JSON.stringify(attribute)]),
    ["id < ?", cursor],
  ];
  const given = conditions.filter((condition): condition is [string, SqlValue] => condition[1] !== undefined);
  const where = given.length > 0 ? `where ${given.map(([sql]) => sql).join(" and ")}` : "";
  const rows = selectRuns(db, `${where} order by id desc limit ?`, [...given.map(([, value]) => value), limit + 1]);
  const items = rows.slice(0, limit);
  return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

const STRANDED = `
select definition, version, count(*) as runs from clean_arch_runs
where ended_at is null
  and (definition, version) not in (select json_extract(value, '$.name'), json_extract(value, '$.version') from json_each(?))
group by definition, version order by runs desc limit 100`;

export function strandedRuns(db: Database, known: readonly DefinitionRef[]): StrandedRuns[] {
  return db.all<{ definition: string; version: string; runs: number }>(STRANDED, [JSON.stringify(known)]);
}

export function countRuns(db: Database): Partial<Record<RunStatus, number>> {
  const rows = db.all<{ status: RunStatus; runs: number }>(
    "select status, count(*) as runs from clean_arch_runs group by status",
  );
  return Object.fromEntries(rows.map(({ status, runs }) => [status, runs]));
}

const ENDED = `select id from clean_arch_runs as run
  where ended_at < ? and (parent_id is null
    or not exists (select 1 from clean_arch_runs as root where root.id = run.root_id and root.ended_at is null))
  order by ended_at limit ?`;

/** Within a transaction. */
export function prune(db: Database, endedBefore: number, limit: number): number {
  const ids = db.all<{ id: string }>(ENDED, [endedBefore, limit]).map((run) => run.id);
  const listed = JSON.stringify(ids);
  for (const table of ["attributes", "journal", "inbox", "checkpoints", "batches", "batch_chunks", "batch_failures"]) {
    db.run(`delete from clean_arch_${table} where run in (select value from json_each(?))`, [listed]);
  }
  return db.run("delete from clean_arch_runs where id in (select value from json_each(?))", [listed]).changes;
}
