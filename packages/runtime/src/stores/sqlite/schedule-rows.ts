import type { OpenRun } from "../../store/schedule-judge.js";
import type { ScheduleRow } from "../../store/schedule-store.js";
import type { Database, SqlValue } from "./database.js";

const COLUMNS = `name, version, cron, timezone, overlap, catch_up as "catchUp", fingerprint, revision, active,
  registered_at as "registeredAt", seen_at as "seenAt", since, last_tick as "lastTick", last_run as "lastRun",
  last_run_tick as "lastRunTick", last_run_late as "lastRunLate", waiting, skipped, missed, paused, note`;

export function selectSchedules(db: Database, rest = "", params: readonly SqlValue[] = []): ScheduleRow[] {
  return db
    .all<Record<string, SqlValue>>(`select ${COLUMNS} from clean_arch_schedules ${rest}`, params)
    .map(({ active, lastRun, lastRunTick, lastRunLate, paused, note, ...row }) => ({
      ...(row as unknown as ScheduleRow),
      active: active === 1,
      lastRun:
        lastRun === null ? null : { id: lastRun as string, tick: lastRunTick as number, late: lastRunLate === 1 },
      paused: paused === null ? null : (JSON.parse(paused as string) as ScheduleRow["paused"]),
      note: note === null ? null : (JSON.parse(note as string) as ScheduleRow["note"]),
    }));
}

export function selectSchedule(db: Database, name: string): ScheduleRow | undefined {
  return selectSchedules(db, "where name = ?", [name])[0];
}

const REPLACE = `insert or replace into clean_arch_schedules (
  name, version, cron, timezone, overlap, catch_up, fingerprint, revision, active, registered_at, seen_at, since,
  last_tick, last_run, last_run_tick, waiting, skipped, missed, paused, note, last_run_late)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Within a transaction. */
export function writeSchedule(db: Database, row: ScheduleRow): void {
  const what = [row.name, row.version, row.cron, row.timezone, row.overlap, row.catchUp, row.fingerprint];
  const since = [row.revision, row.active ? 1 : 0, row.registeredAt, row.seenAt, row.since];
  const done = [row.lastTick, row.lastRun?.id ?? null, row.lastRun?.tick ?? null, row.waiting, row.skipped, row.missed];
  const notes = [row.paused, row.note].map((value) => (value === null ? null : JSON.stringify(value)));
  const late = row.lastRun === null ? null : Number(row.lastRun.late);
  db.run(REPLACE, [...what, ...since, ...done, ...notes, late]);
}

const FORGET_ENDED = `delete from clean_arch_schedule_runs where schedule = ?
  and not exists (select 1 from clean_arch_runs r where r.id = run and r.ended_at is null)`;

const OPEN = `select r.id, r.key, r.status, s.canceled from clean_arch_schedule_runs s join clean_arch_runs r on r.id = s.run
  where s.schedule = ? and r.ended_at is null order by r.id`;

export function selectOpenRuns(db: Database, schedule: string): OpenRun[] {
  return db
    .all<Omit<OpenRun, "canceled"> & { canceled: number }>(OPEN, [schedule])
    .map((run) => ({ ...run, canceled: run.canceled === 1 }));
}

/** Within a transaction. */
export function holdRun(db: Database, schedule: string, run: string): void {
  db.run(FORGET_ENDED, [schedule]);
  db.run("insert or ignore into clean_arch_schedule_runs (schedule, run) values (?, ?)", [schedule, run]);
}

/** Within a transaction. */
export function markCanceled(db: Database, schedule: string, run: string): void {
  db.run("update clean_arch_schedule_runs set canceled = 1 where schedule = ? and run = ?", [schedule, run]);
}
