import type { RunStatus } from "../engine/records.js";
import { type ScheduleRow, SILENT_MS } from "../store/schedule-store.js";
import { CronTimes } from "./cron.js";

/** A schedule as operators see it. Times are ms since the epoch. */
export interface ScheduleView
  extends Pick<
    ScheduleRow,
    | "name"
    | "version"
    | "cron"
    | "timezone"
    | "overlap"
    | "catchUp"
    | "active"
    | "paused"
    | "lastTick"
    | "waiting"
    | "skipped"
    | "missed"
    | "note"
    | "registeredAt"
  > {
  /** The newest run that a tick has begun. `status` null: it is deleted. */
  readonly lastRun: (NonNullable<ScheduleRow["lastRun"]> & { readonly status: RunStatus | null }) | null;
  /** The next five ticks that may begin a run; none while it is paused, or rests for another reason. */
  readonly nextRuns: readonly number[];
  /** Why it does nothing now, or something else than its cron expression says; null: it goes on as it says. */
  readonly idle: string | null;
}

const LISTED = 5;

/** `status`: of its last run. */
export function scheduleView(row: ScheduleRow, status: RunStatus | null, now: number): ScheduleView {
  const { lastRun, lastTick, since } = row;
  const rests = !row.active || row.paused !== null || isSilent(row, now);
  return {
    ...{ name: row.name, version: row.version, cron: row.cron, timezone: row.timezone, overlap: row.overlap },
    ...{ catchUp: row.catchUp, active: row.active, paused: row.paused, lastTick, waiting: row.waiting },
    ...{ skipped: row.skipped, missed: row.missed, note: row.note, registeredAt: row.registeredAt },
    lastRun: lastRun && { ...lastRun, status },
    nextRuns: rests ? [] : nextRuns(row, Math.max(since, lastTick ?? since, now)),
    idle: idleBecause(row, now),
  };
}

function nextRuns({ cron, timezone }: ScheduleRow, after: number): readonly number[] {
  try {
    return new CronTimes(cron, timezone).between(after, Number.POSITIVE_INFINITY, LISTED);
  } catch {
    // A newer version may know more expressions.
    return [];
  }
}

function isSilent({ seenAt }: ScheduleRow, now: number): boolean {
  return now - seenAt >= SILENT_MS;
}

function idleBecause(row: ScheduleRow, now: number): string | null {
  if (!row.active) return "its definition has no schedule any more";
  if (row.paused !== null) return `paused by ${row.paused.actor}: ${row.paused.reason}`;
  if (isSilent(row, now))
    return `no instance with this schedule has been there since ${new Date(row.seenAt).toISOString()}; start one, or see why those there are do not reach the store`;
  if (row.waiting === null) return null;
  const tick = new Date(row.waiting).toISOString();
  return `the run of the tick of ${tick} begins when ${row.lastRun === null ? "those before it have" : `run ${row.lastRun.id} has`} ended`;
}
