import { RuntimeError } from "../../errors.js";
import type { RunSchedules, RunTick } from "../../store/run-schedules.js";
import type { CreateRun } from "../../store/run-store.js";
import { checkedRegistration, checkedTexts } from "../../store/schedule-codec.js";
import { cancelSignal, judgeTick, paused, registered, resumed } from "../../store/schedule-judge.js";
import type { ScheduleRegistration, ScheduleRow, Schedules, TickResult } from "../../store/schedule-store.js";
import { uuids } from "./binary-arrays.js";
import type { Connections, Queryable } from "./connections.js";
import { createWithin, isOfElement } from "./create.js";
import { sqlState } from "./driver-error.js";
import { sendSignals } from "./inbox.js";
import { lockSchedule, openRuns, scheduleValues, selectSchedules, storeNow } from "./schedule-rows.js";

export interface PostgresScheduleOptions {
  /** Runs a call while the run store is open. */
  readonly answer: <T>(call: (open: Connections) => Promise<T>) => Promise<T>;
  /** The same for what writes: not on a server that took over. */
  readonly write: <T>(call: (open: Connections) => Promise<T>) => Promise<T>;
  /** A run was created, with what it brings for the outbox. */
  readonly created: (run: CreateRun) => void;
}

/** The schedules of a run store, in its schema. A tick holds its schedule's row from when it is judged until its run is committed. */
export function createPostgresSchedules({ answer, write, created }: PostgresScheduleOptions): RunSchedules {
  const change = (name: string, to: (row: ScheduleRow, now: number) => ScheduleRow): Promise<boolean> =>
    write((open) =>
      open.transaction(async (on) => {
        const row = await lockSchedule(on, name);
        if (row === undefined) return false;
        await on.run("schedule-write", scheduleValues(to(row, await storeNow(on))));
        return true;
      }),
    );
  return {
    async register(registrations, how) {
      registrations.forEach(checkedRegistration);
      return write((open) => register(open, registrations, how));
    },
    tick: (element) =>
      write(async (open) => {
        const result = await tick(open, element);
        if (result.kind === "started" && result.created && element.run !== null) created(element.run);
        return result;
      }),
    async pause(name, by) {
      checkedTexts(by);
      return change(name, (row, now) => paused(row, by, now));
    },
    resume: (name) => change(name, resumed),
    list: () =>
      answer(async ({ reader }) => ({
        now: await storeNow(reader),
        rows: await selectSchedules(reader, "order by name", []),
      })),
  };
}

/** Somebody else registers the same schedule for the first time, or takes the key of a tick's run, at the same moment. */
const MAX_TRIES = 20;

async function register(
  connections: Connections,
  registrations: readonly ScheduleRegistration[],
  how: "begin" | "keep",
): Promise<Schedules> {
  // Most of the time nothing is new, and nobody who is about to tick waits for this.
  const seen = await rowsAfter(connections.writer, registrations, how, "");
  if (seen.rows.every(({ row, before }) => row === before))
    return { now: seen.now, rows: seen.rows.map(({ row }) => row) };
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const written = await connections.transaction(async (on) => {
      const { now, rows } = await rowsAfter(on, registrations, how, "for update");
      for (const { row, before } of rows) {
        if (row === before) continue;
        const name = before === undefined ? "schedule-insert" : "schedule-write";
        const inserted = await on.run(name, scheduleValues(row));
        if (before === undefined && inserted.length === 0) return null;
      }
      return { now, rows: rows.map(({ row }) => row) };
    });
    if (written !== null) return written;
  }
  throw new RuntimeError("store-unavailable", "expected the registration of schedules to come to rest, it did not");
}

async function rowsAfter(
  on: Queryable,
  registrations: readonly ScheduleRegistration[],
  how: "begin" | "keep",
  lock: "" | "for update",
) {
  const names = registrations.map(({ name }) => name);
  const known = await selectSchedules(on, `where name = any ($1::text[]) order by name ${lock}`, [names]);
  const now = await storeNow(on);
  const byName = new Map(known.map((row) => [row.name, row]));
  const rows: { readonly row: ScheduleRow; readonly before: ScheduleRow | undefined }[] = [];
  for (const registration of [...registrations].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const before = byName.get(registration.name);
    const row = registered(before, registration, how, now);
    if (row !== undefined) rows.push({ row, before });
  }
  return { now, rows };
}

async function tick(connections: Connections, element: RunTick): Promise<TickResult> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    try {
      return await connections.transaction((on) => judged(on, element));
    } catch (error) {
      if (!isOfElement(sqlState(error))) throw error;
      // Whoever took the key is seen by the next try. All else is of the run, and will not go away.
      if (sqlState(error) !== "23505") return await rejected(connections, element, (error as Error).message);
    }
  }
  const message = `expected the key of the run of a tick of ${element.name} to come to rest, it did not`;
  throw new RuntimeError("store-unavailable", message);
}

async function rejected(connections: Connections, { name }: RunTick, reason: string): Promise<TickResult> {
  const [row] = await selectSchedules(connections.writer, "where name = $1", [name]);
  return row === undefined ? { kind: "unknown" } : { kind: "rejected", row, reason };
}

/** Within a transaction. */
async function judged(on: Queryable, element: RunTick): Promise<TickResult> {
  const row = await lockSchedule(on, element.name);
  if (row === undefined) return { kind: "unknown" };
  const verdict = judgeTick(row, element, await openRuns(on, row.name), await storeNow(on));
  if (verdict.kind === "answer") return verdict.result;
  if (verdict.kind === "create") return begin(on, row, verdict.run, verdict.row);
  await on.run("schedule-write", scheduleValues(verdict.result.row));
  const signals = verdict.cancel.map((run) => cancelSignal(row.name, run, element.at));
  if (signals.length === 0) return verdict.result;
  const sent = await sendSignals(on, signals, "up to the bound");
  const told = verdict.cancel.filter((_, index) => sent[index] === "accepted" || sent[index] === "duplicate");
  await on.run("schedule-cancel", [row.name, uuids(told)]);
  return verdict.result;
}

async function begin(
  on: Queryable,
  before: ScheduleRow,
  create: CreateRun,
  rowOf: (run: string) => ScheduleRow,
): Promise<TickResult> {
  const made = await createWithin(on, create);
  if (made.kind === "rejected") return { kind: "rejected", row: before, reason: made.reason };
  const row = rowOf(made.run.id);
  await on.run("schedule-write", scheduleValues(row));
  await on.run("schedule-hold", [row.name, made.run.id]);
  return { kind: "started", row, run: made.run, created: made.kind === "created" };
}
