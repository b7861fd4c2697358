import { plannedOf } from "../engine/items.js";
import type { RunPlan } from "../engine/plan.js";
import type { JournalRecord } from "../engine/records.js";
import { InvariantBroken } from "./invariant-broken.js";
import { isPassed, unwindingOf } from "./story.js";

/** Invariants 4, 6 and 7 where operators act. `past`: all records before this one; `story`: those that still count. */
export function checkOperated(
  plan: RunPlan,
  past: readonly JournalRecord[],
  story: readonly JournalRecord[],
  record: JournalRecord,
): void {
  if (record.kind === "dispatched") {
    if (isPaused(past)) throw new InvariantBroken(7, `"${record.step}" is dispatched though the run is paused`);
    checkRound(past, story, record);
    const { to } = unwindingOf(story) ?? { to: null };
    const { wave } = plannedOf(plan, record.step) ?? { wave: 0 };
    if (record.direction === "compensate" && to !== null && wave < to)
      throw new InvariantBroken(7, `"${record.step}" is undone, and a retry was to undo from wave ${to} on`);
  }
  if (record.kind === "step-skipped" && !isPastPivot(plan, story))
    throw new InvariantBroken(7, `"${record.step}" is skipped before the pivot`);
  if (record.kind === "finished" && record.error?.code === "start-timeout") {
    if (past.some(({ kind }) => kind === "dispatched"))
      throw new InvariantBroken(6, "a run that had begun ends because it did not begin in time");
  }
}

/** Each request is answered in one row. */
export function checkRequests(earlier: readonly JournalRecord[], row: readonly JournalRecord[]): void {
  const answered = new Set(earlier.flatMap((record) => requestOf(record) ?? []));
  for (const record of row) {
    const request = requestOf(record);
    if (request !== undefined && answered.has(request))
      throw new InvariantBroken(4, `the request ${request} is answered twice`);
  }
}

function requestOf(record: JournalRecord): string | undefined {
  return "request" in record ? record.request : undefined;
}

function isPaused(past: readonly JournalRecord[]): boolean {
  const lifts = ["resumed", "retry-requested", "cancel-requested", "compensate-requested"];
  return past.findLast(({ kind }) => kind === "paused" || lifts.includes(kind))?.kind === "paused";
}

/** Invariant 4: what runs again after it was undone does so under a key of its own, and nothing else does. */
function checkRound(
  past: readonly JournalRecord[],
  story: readonly JournalRecord[],
  { step, round }: JournalRecord & { kind: "dispatched" },
): void {
  const rounds = (records: readonly JournalRecord[]): readonly number[] =>
    records.flatMap((record) => (record.kind === "dispatched" && record.step === step ? [record.round] : []));
  const present = rounds(story).at(-1);
  const expected = present ?? 1 + Math.max(0, ...rounds(past));
  if (round !== expected)
    throw new InvariantBroken(4, `"${step}" is dispatched in round ${round}, and its round is ${expected}`);
}

function isPastPivot(plan: RunPlan, story: readonly JournalRecord[]): boolean {
  if (plan.pivotAfterWave === null) return false;
  const upToPivot = plan.waves.slice(0, plan.pivotAfterWave + 1).flat();
  return upToPivot.every(({ name }) => isPassed(story, name));
}
