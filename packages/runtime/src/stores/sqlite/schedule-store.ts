import { RuntimeError } from "../../errors.js";
import type { RunSchedules, RunTick } from "../../store/run-schedules.js";
import type { CreateRun } from "../../store/run-store.js";
import { checkedRegistration, checkedTexts } from "../../store/schedule-codec.js";
import { cancelSignal, judgeTick, paused, registered, resumed } from "../../store/schedule-judge.js";
import type { ScheduleRegistration, ScheduleRow, TickResult } from "../../store/schedule-store.js";
import { createRun } from "./create.js";
import type { Database } from "./database.js";
import type { SqliteCalls } from "./event-store.js";
import { signal } from "./inbox.js";
import {
  holdRun,
  markCanceled,
  selectOpenRuns,
  selectSchedule,
  selectSchedules,
  writeSchedule,
} from "./schedule-rows.js";

export interface SqliteScheduleOptions extends Pick<SqliteCalls, "answer" | "write"> {
  /** A run was created, with what it brings for the outbox. */
  readonly created: (run: CreateRun) => void;
}

/** The schedules of a run store, in its file. */
export function createSqliteSchedules({ answer, write, created }: SqliteScheduleOptions): RunSchedules {
  const change = (name: string, to: (row: ScheduleRow, now: number) => ScheduleRow): Promise<boolean> =>
    write((db, now) => {
      const row = selectSchedule(db, name);
      if (row === undefined) return false;
      writeSchedule(db, to(row, now));
      return true;
    });
  return {
    async register(registrations, how) {
      // Most of the time nothing is new, and the file is not written.
      const seen = await answer((db, now) => {
        registrations.forEach(checkedRegistration);
        return { now, rows: rowsAfter(db, registrations, how, now) };
      });
      if (!seen.rows.some(({ isNew }) => isNew)) return { now: seen.now, rows: seen.rows.map(({ row }) => row) };
      return write((db, now) => {
        const rows = rowsAfter(db, registrations, how, now);
        for (const { row, isNew } of rows) if (isNew) writeSchedule(db, row);
        return { now, rows: rows.map(({ row }) => row) };
      });
    },
    async tick(element) {
      const result = await write((db, now) => tick(db, element, now));
      if (result.kind === "started" && result.created && element.run !== null) created(element.run);
      return result;
    },
    async pause(name, by) {
      checkedTexts(by);
      return change(name, (row, now) => paused(row, by, now));
    },
    resume: (name) => change(name, resumed),
    list: () => answer((db, now) => ({ now, rows: selectSchedules(db, "order by name") })),
  };
}

function rowsAfter(db: Database, registrations: readonly ScheduleRegistration[], how: "begin" | "keep", now: number) {
  const listed = JSON.stringify(registrations.map(({ name }) => name));
  const known = selectSchedules(db, "where name in (select value from json_each(?))", [listed]);
  const byName = new Map(known.map((row) => [row.name, row]));
  const rows: { readonly row: ScheduleRow; readonly isNew: boolean }[] = [];
  for (const registration of [...registrations].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const before = byName.get(registration.name);
    const row = registered(before, registration, how, now);
    if (row !== undefined) rows.push({ row, isNew: row !== before });
  }
  return rows;
}

/** Within a transaction. */
function tick(db: Database, element: RunTick, now: number): TickResult {
  const row = selectSchedule(db, element.name);
  if (row === undefined) return { kind: "unknown" };
  const verdict = judgeTick(row, element, selectOpenRuns(db, row.name), now);
  if (verdict.kind === "answer") return verdict.result;
  if (verdict.kind === "create") return begin(db, row, verdict.run, verdict.row, now);
  writeSchedule(db, verdict.result.row);
  for (const run of verdict.cancel) {
    const sent = signal(db, cancelSignal(row.name, run, element.at), now);
    if (sent === "accepted" || sent === "duplicate") markCanceled(db, row.name, run);
  }
  return verdict.result;
}

function begin(
  db: Database,
  before: ScheduleRow,
  create: CreateRun,
  rowOf: (run: string) => ScheduleRow,
  now: number,
): TickResult {
  const made = created(db, create, now);
  if (made.kind === "rejected") return { kind: "rejected", row: before, reason: made.reason };
  const row = rowOf(made.run.id);
  writeSchedule(db, row);
  holdRun(db, row.name, made.run.id);
  return { kind: "started", row, run: made.run, created: made.kind === "created" };
}

/** What encoding or a statement refuses is of this run alone. */
function created(db: Database, create: CreateRun, now: number) {
  try {
    return db.transaction(() => createRun(db, create, now));
  } catch (error) {
    const isOfRun = error instanceof RuntimeError && (error.code === "input-invalid" || "sqlite" in error.details);
    if (!isOfRun || error.code === "store-unavailable") throw error;
    return { kind: "rejected" as const, reason: error.message };
  }
}
