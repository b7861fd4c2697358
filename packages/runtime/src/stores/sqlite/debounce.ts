import type { CreateRun, RunRow } from "../../store/run-store.js";
import type { Database } from "./database.js";
import { selectRun } from "./run-rows.js";

type Debounce = NonNullable<CreateRun["debounce"]>;

/** Creates of a run that are remembered. */
const MAX_REMEMBERED = 50;

const NEWEST = `
select id, status, debounced, debounce_until as "until" from clean_arch_runs
where tenant = ? and definition = ? and debounce_key = ? order by status = 'pending' desc, id desc limit 1`;

const JOIN = `
update clean_arch_runs set version = ?, input = ?, input_hash = ?, business_key = ?, attributes = ?, session_id = ?, queue = ?,
  partition_key = ?, priority = ?, limited = ?, start_at = ?, wake_at = ?, ready = 0, in_line = 0, updated_at = ?, debounced = ?
where id = ?`;
const FORGET_ATTRIBUTES = `delete from clean_arch_attributes where run = ?`;
const INSERT_ATTRIBUTES = `insert into clean_arch_attributes (name, value, run) select key, value, ? from json_each(?)`;

const SET_DEBOUNCE = `update clean_arch_runs set debounce_key = ?, debounce_until = ?, debounced = ? where id = ?`;

/** Within a transaction, of a run that was just inserted. */
export function beginDebounce(db: Database, id: string, { key, maxMs }: Debounce, now: number): void {
  db.run(SET_DEBOUNCE, [key, maxMs === null ? null : now + maxMs, JSON.stringify([id]), id]);
}

/** Within a transaction. The run that the create goes into, or went into before; undefined: there is none. */
export function joinDebounced(
  db: Database,
  create: CreateRun,
  { key }: Debounce,
  { input, attributes }: { readonly input: string; readonly attributes: string | null },
  now: number,
): RunRow | undefined {
  const { id, tenant, definition } = create;
  const [newest] = db.all<{ id: string; status: string; debounced: string; until: number | null }>(NEWEST, [
    ...[tenant, definition, key],
  ]);
  if (newest === undefined) return undefined;
  const ids = JSON.parse(newest.debounced) as string[];
  if (ids.includes(id)) return selectRun(db, newest.id);
  if (newest.status !== "pending") return undefined;

  const { version, inputHash, businessKey, sessionId, queue, partitionKey, priority } = create;
  const startAt = Math.min(now + (create.delayMs ?? 0), newest.until ?? Number.POSITIVE_INFINITY);
  db.run(JOIN, [
    ...[version, input, inputHash, businessKey, attributes, sessionId, queue],
    ...[partitionKey, priority, create.limited === true ? 1 : 0, startAt, startAt, now],
    ...[JSON.stringify([...ids, id].slice(-MAX_REMEMBERED)), newest.id],
  ]);
  db.run(FORGET_ATTRIBUTES, [newest.id]);
  if (attributes !== null) db.run(INSERT_ATTRIBUTES, [newest.id, attributes]);
  return selectRun(db, newest.id);
}
