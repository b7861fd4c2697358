import type { OpenRun } from "../../store/schedule-judge.js";
import type { ScheduleRow } from "../../store/schedule-store.js";
import type { Queryable } from "./connections.js";

/** PostgreSQL's int8 comes as text, so times and counts are read as floats, which hold them exactly. */
const COLUMNS = `name, version, cron, timezone, overlap, catch_up as "catchUp", fingerprint, revision, active,
  registered_at::float8 as "registeredAt", seen_at::float8 as "seenAt", since::float8, last_tick::float8 as "lastTick", last_run as "lastRun",
  last_run_tick::float8 as "lastRunTick", last_run_late as "lastRunLate", waiting::float8, skipped::float8, missed::float8, paused, note`;

/** Schedules that fit `rest`: everything after the table's name. */
export async function selectSchedules(on: Queryable, rest: string, values: readonly unknown[]): Promise<ScheduleRow[]> {
  const rows = await on.query(`select ${COLUMNS} from :"schema".schedules ${rest}`, values);
  return rows.map(({ lastRun, lastRunTick, lastRunLate, paused, note, ...row }) => ({
    ...(row as unknown as ScheduleRow),
    lastRun: lastRun === null ? null : { id: String(lastRun), tick: Number(lastRunTick), late: lastRunLate === true },
    paused: paused === null ? null : (JSON.parse(String(paused)) as ScheduleRow["paused"]),
    note: note === null ? null : (JSON.parse(String(note)) as ScheduleRow["note"]),
  }));
}

/** Locked until the end of the transaction. */
export async function lockSchedule(on: Queryable, name: string): Promise<ScheduleRow | undefined> {
  return (await selectSchedules(on, "where name = $1 for update", [name]))[0];
}

export async function storeNow(on: Queryable): Promise<number> {
  const [row] = await on.query(`select :"schema".now_ms()::float8 as now`);
  return Number(row?.now);
}

/** In the order of the parameters of `schedule-insert` and `schedule-write`. */
export function scheduleValues(row: ScheduleRow): unknown[] {
  const notes = [row.paused, row.note].map((value) => (value === null ? null : JSON.stringify(value)));
  return [
    ...[row.name, row.revision, row.catchUp, row.active, row.registeredAt, row.seenAt, row.since],
    ...[row.lastTick, row.lastRun?.tick ?? null, row.waiting, row.skipped, row.missed, row.version],
    ...[row.cron, row.timezone, row.overlap, row.fingerprint, row.lastRun?.id ?? null],
    ...[...notes, row.lastRun?.late ?? null],
  ];
}

export async function openRuns(on: Queryable, schedule: string): Promise<OpenRun[]> {
  return (await on.run("schedule-open", [schedule])) as unknown as OpenRun[];
}
