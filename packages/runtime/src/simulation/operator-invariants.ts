import type { RunPlan } from "../engine/plan.js";
import type { JournalRecord } from "../engine/records.js";
import { InvariantBroken } from "./invariant-broken.js";
import { unwindingOf } from "./story.js";

/** Invariants 4, 6 and 7 where operators act. `past`: all records before this one; `story`: those that still count. */
export function checkOperated(
  plan: RunPlan,
  past: readonly JournalRecord[],
  story: readonly JournalRecord[],
  record: JournalRecord,
): void {
  if (record.kind === "dispatched") {
    if (isPaused(past)) throw new InvariantBroken(7, `"${record.step}" is dispatched though the run is paused`);
    checkRound(past, record);
    const { to } = unwindingOf(story) ?? { to: null };
    const { wave } = plan.steps.get(record.step) ?? { wave: 0 };
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
function checkRound(past: readonly JournalRecord[], dispatched: JournalRecord & { kind: "dispatched" }): void {
  const { step, direction, round } = dispatched;
  const own = past.filter((record) => "step" in record && record.step === step);
  const last = own.findLast((record) => record.kind === "dispatched");
  const before = last?.kind === "dispatched" ? last.round : 1;
  const undone = own.findLast(({ kind }) => kind === "compensated" || kind === "compensation-skipped");
  const undoneNow = undone !== undefined && own.indexOf(undone) > (last === undefined ? -1 : own.indexOf(last));
  if (direction === "compensate" && round !== before)
    throw new InvariantBroken(4, `"${step}" ran in round ${before} and is undone in round ${round}`);
  if (direction === "forward" && undoneNow && round !== before + 1)
    throw new InvariantBroken(4, `"${step}" was undone in round ${before} and runs again in round ${round}`);
  if (round !== before && round !== before + 1)
    throw new InvariantBroken(4, `"${step}" comes from round ${before} to round ${round}`);
}

function isPastPivot(plan: RunPlan, story: readonly JournalRecord[]): boolean {
  if (plan.pivotAfterWave === null) return false;
  const passed = new Set(
    story.flatMap((record) => (record.kind === "completed" || record.kind === "step-skipped" ? [record.step] : [])),
  );
  return plan.waves.slice(0, plan.pivotAfterWave + 1).every((wave) => wave.every(({ name }) => passed.has(name)));
}
