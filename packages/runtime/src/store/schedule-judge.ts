import type { RunStatus } from "../engine/records.js";
import { isEnded } from "../engine/records.js";
import type { RunTick } from "./run-schedules.js";
import type { Signal } from "./run-store.js";
import {
  ON_TIME_MS,
  type ScheduleRegistration,
  type ScheduleRow,
  SILENT_MS,
  type TickResult,
} from "./schedule-store.js";

/** What every store of schedules decides in the same way. Pure: a store reads the row under its lock, asks, and writes what it is told. */

/** Said again this often, a registration is not silent. */
const SAID_AGAIN_MS = SILENT_MS / 4;

/** The row as it is from here on; the very same one when nothing changes. Undefined: there is none. */
export function registered(
  row: ScheduleRow | undefined,
  { name, schedule }: ScheduleRegistration,
  how: "begin" | "keep",
  now: number,
): ScheduleRow | undefined {
  if (row === undefined) return schedule === null ? undefined : { ...newRow(name, now), ...schedule };
  const isSame = schedule === null ? !row.active : row.active && row.fingerprint === schedule.fingerprint;
  if (isSame) return seen(atClock(row, now), now);
  const isSilent = now - row.seenAt >= SILENT_MS;
  if (how === "keep" && !isSilent) return row;
  const next = { ...atClock(row, now), revision: row.revision + 1, registeredAt: now, seenAt: now };
  if (schedule === null) return { ...next, active: false, waiting: null };
  const sameTimes = row.active && row.cron === schedule.cron && row.timezone === schedule.timezone;
  return { ...next, ...schedule, active: true, ...(!sameTimes && { since: now, lastTick: null, waiting: null }) };
}

function newRow(name: string, now: number) {
  return {
    ...{ name, revision: 1, active: true, registeredAt: now, seenAt: now, since: now },
    ...{ lastTick: null, lastRun: null, waiting: null, skipped: 0, missed: 0, paused: null, note: null },
  };
}

function seen(row: ScheduleRow, now: number): ScheduleRow {
  // Also one that was seen in what is the future again.
  return Math.abs(now - row.seenAt) < SAID_AGAIN_MS ? row : { ...row, seenAt: now };
}

/**
 * A clock that was set back would have the schedule do nothing until it has come again to where it was. From now on, then: ticks that have a run
 * already get no second one, because they have its key.
 */
function atClock(row: ScheduleRow, now: number): ScheduleRow {
  const last = Math.max(row.since, row.lastTick ?? row.since);
  if (last <= now + ON_TIME_MS) return row;
  const message = `the store's clock was set back by about ${Math.round((last - now) / 1000)} s; ticks come again, and those that have a run get no second one`;
  return { ...row, since: now, lastTick: null, note: { at: now, kind: "clock", message } };
}

export function paused(
  row: ScheduleRow,
  by: { readonly actor: string; readonly reason: string },
  now: number,
): ScheduleRow {
  return row.paused === null ? { ...row, paused: { at: now, actor: by.actor, reason: by.reason } } : row;
}

export function resumed(row: ScheduleRow): ScheduleRow {
  return row.paused === null ? row : { ...row, paused: null };
}

/** A run that a tick of the schedule began, as far as it has not ended. */
export interface OpenRun {
  readonly id: string;
  readonly key: string | null;
  readonly status: RunStatus;
  /** It was asked to cancel for the sake of a later tick. */
  readonly canceled: boolean;
}

export type TickVerdict =
  /** Nothing is written. */
  | { readonly kind: "answer"; readonly result: TickResult }
  /** The row is written, and these runs are asked to cancel. */
  | {
      readonly kind: "write";
      readonly result: TickResult & { readonly row: ScheduleRow };
      readonly cancel: readonly string[];
    }
  /** The run is created, then the row for it is written. */
  | {
      readonly kind: "create";
      readonly run: NonNullable<RunTick["run"]>;
      readonly row: (run: string) => ScheduleRow;
    };

/** `open`: runs of the schedule that have not ended. */
export function judgeTick(row: ScheduleRow, tick: RunTick, open: readonly OpenRun[], now: number): TickVerdict {
  const answer = (result: TickResult): TickVerdict => ({ kind: "answer", result });
  const { at, how, run } = tick;
  if (row.revision !== tick.revision || !row.active || (row.paused !== null && how !== "by-hand"))
    return answer({ kind: "resting", row });
  const isNext =
    how === "by-hand" || (how === "waiting" ? row.waiting === at : row.lastTick === tick.after && at > from(row));
  if (!isNext) return answer({ kind: "passed", row });
  if (at > now && how !== "waiting") return answer({ kind: "early", row });
  // A stuck run waits for an operator, for as long as it takes: later ticks do not. One with the tick's own key is the tick's, begun before.
  const holders = open.filter(({ key, status }) => !isEnded(status) && status !== "stuck" && key !== run?.key);
  const held = answer({ kind: "held", row, by: holders.map(({ id }) => id) });
  if (how === "by-hand" || how === "waiting") {
    if (holders.length > 0) return held;
    const next = how === "waiting" ? passedOver({ ...row, waiting: null }, tick, now) : row;
    if (run === null) return { kind: "write", result: { kind: "missed", row: next }, cancel: [] };
    return { kind: "create", run, row: (id) => ({ ...next, lastRun: { id, tick: at, late: false } }) };
  }
  const done = passedOver({ ...row, lastTick: at }, tick, now);
  if (run === null) return { kind: "write", result: { kind: "missed", row: done }, cancel: [] };
  // One that waits goes first.
  if (holders.length === 0 && row.waiting !== null) return held;
  if (holders.length === 0)
    return { kind: "create", run, row: (id) => ({ ...done, lastRun: { id, tick: at, late: how === "late" } }) };
  // What comes while others are made up for is in their line.
  const madeUp = row.lastRun?.late === true && holders.some(({ id }) => id === row.lastRun?.id);
  if (how === "late" || (madeUp && row.catchUp > 0)) return held;
  return overlapping(done, at, holders, now);
}

function from({ since, lastTick }: ScheduleRow): number {
  return Math.max(since, lastTick ?? since);
}

function passedOver(row: ScheduleRow, { run, missed, why }: RunTick, now: number): ScheduleRow {
  const count = missed + (run === null ? 1 : 0);
  if (count === 0) return row;
  const message = why?.message ?? `${count} ticks were missed and are not made up for`;
  return { ...row, missed: row.missed + count, note: { at: now, kind: why?.kind ?? "missed", message } };
}

/** A tick that comes while runs of earlier ones go on. */
function overlapping(row: ScheduleRow, at: number, holders: readonly OpenRun[], now: number): TickVerdict {
  const skips = row.overlap === "skip" || row.waiting !== null;
  const skipped = skips ? skippedOne(row, row.overlap === "cancel" ? (row.waiting ?? at) : at, holders, now) : row;
  if (row.overlap === "skip" || (row.overlap === "queue" && row.waiting !== null))
    return { kind: "write", result: { kind: "skipped", row: skipped }, cancel: [] };
  const cancel = row.overlap === "cancel" ? holders.filter(({ canceled }) => !canceled).map(({ id }) => id) : [];
  return { kind: "write", result: { kind: "waits", row: { ...skipped, waiting: at }, canceled: cancel }, cancel };
}

function skippedOne(row: ScheduleRow, tick: number, holders: readonly OpenRun[], now: number): ScheduleRow {
  const message = `the tick of ${new Date(tick).toISOString()} was skipped: run ${holders[0]?.id} had not ended`;
  return { ...row, skipped: row.skipped + 1, note: { at: now, kind: "skipped", message } };
}

/** What a run is told that is to make room for a later tick. */
export function cancelSignal(name: string, run: string, at: number): Signal {
  const tick = new Date(at).toISOString();
  const payload = { reason: `the tick of ${tick} of its schedule has come` };
  return { run, id: `schedule:${name}:${tick}`, kind: "verb", name: "cancel", payload, actor: "schedule" };
}

/** Of the run of a tick. */
export function tickKey(name: string, at: number): string {
  return `schedule:${name}:${new Date(at).toISOString()}`;
}
