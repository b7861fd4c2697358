import { isEnded } from "../../engine/records.js";
import { RuntimeError } from "../../errors.js";
import type { RunSchedules, RunTick } from "../../store/run-schedules.js";
import type { CreateResult, CreateRun, RunRow } from "../../store/run-store.js";
import { checkedRegistration, checkedTexts } from "../../store/schedule-codec.js";
import { cancelSignal, judgeTick, type OpenRun, paused, registered, resumed } from "../../store/schedule-judge.js";
import type { ScheduleRegistration, ScheduleRow, TickResult } from "../../store/schedule-store.js";
import { createRun } from "./create.js";
import { signal } from "./inbox.js";
import type { MemoryWorld, StoredSchedule } from "./world.js";

/** `answer` runs a call while the run store is open, and gives it the store's time. */
export function createMemorySchedules(
  world: MemoryWorld,
  answer: <T>(call: (now: number) => T) => Promise<T>,
): RunSchedules {
  const { schedules } = world;
  return {
    register: (registrations, how) =>
      answer((now) => {
        registrations.forEach(checkedRegistration);
        const rows = registrations.flatMap((registration) => register(world, registration, how, now) ?? []);
        return { now, rows: sorted(rows) };
      }),
    tick: (element) => answer((now) => tick(world, element, now)),
    pause: (name, by) =>
      answer((now) => {
        checkedTexts(by);
        return change(schedules.get(name), (row) => paused(row, by, now));
      }),
    resume: (name) => answer(() => change(schedules.get(name), resumed)),
    list: () => answer((now) => ({ now, rows: sorted([...schedules.values()].map(({ row }) => row)) })),
  };
}

function sorted(rows: ScheduleRow[]): ScheduleRow[] {
  return rows.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function register(
  world: MemoryWorld,
  registration: ScheduleRegistration,
  how: "begin" | "keep",
  now: number,
): ScheduleRow | undefined {
  const known = world.schedules.get(registration.name);
  const row = registered(known?.row, registration, how, now);
  if (row === undefined) return undefined;
  if (known === undefined) world.schedules.set(row.name, { row, runs: new Map() });
  else known.row = row;
  return row;
}

function change(stored: StoredSchedule | undefined, to: (row: ScheduleRow) => ScheduleRow): boolean {
  if (stored !== undefined) stored.row = to(stored.row);
  return stored !== undefined;
}

function tick(world: MemoryWorld, element: RunTick, now: number): TickResult {
  const stored = world.schedules.get(element.name);
  if (stored === undefined) return { kind: "unknown" };
  const verdict = judgeTick(stored.row, element, openRuns(world, stored), now);
  if (verdict.kind === "answer") return verdict.result;
  if (verdict.kind === "create") return begin(world, stored, verdict.run, verdict.row, now);
  stored.row = verdict.result.row;
  for (const run of verdict.cancel) {
    const sent = signal(world, cancelSignal(element.name, run, element.at), now);
    if (sent === "accepted" || sent === "duplicate") stored.runs.set(run, true);
  }
  return verdict.result;
}

function begin(
  world: MemoryWorld,
  stored: StoredSchedule,
  create: CreateRun,
  rowOf: (run: string) => ScheduleRow,
  now: number,
): TickResult {
  const made = created(world, create, now);
  if (made.kind === "rejected") return { kind: "rejected", row: stored.row, reason: made.reason };
  const { id } = made.run;
  stored.row = rowOf(id);
  hold(stored, made.run);
  return { kind: "started", row: stored.row, run: made.run, created: made.kind === "created" };
}

function hold({ runs }: StoredSchedule, run: Pick<RunRow, "id" | "status">): void {
  if (!isEnded(run.status) && !runs.has(run.id)) runs.set(run.id, false);
}

/** Forgets those that have ended, or are deleted. */
function openRuns(world: MemoryWorld, { runs }: StoredSchedule): OpenRun[] {
  const open: OpenRun[] = [];
  for (const [id, canceled] of [...runs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const run = world.runs.get(id);
    if (run === undefined || run.endedAt !== null) runs.delete(id);
    else open.push({ id, key: run.key, status: run.status, canceled });
  }
  return open;
}

function created(world: MemoryWorld, create: CreateRun, now: number): CreateResult {
  try {
    return createRun(world, create, now);
  } catch (error) {
    if (!(error instanceof RuntimeError) || error.code !== "input-invalid") throw error;
    return { kind: "rejected", reason: error.message };
  }
}
