import { deepStrictEqual } from "node:assert/strict";
import { plannedOf } from "../engine/items.js";
import type { RunPlan } from "../engine/plan.js";
import type { Direction, JournalRecord, JournalRow } from "../engine/records.js";
import type { RunState } from "../engine/state.js";
import { childIsUndone, childMayHaveRun, withInherited } from "./child-invariants.js";
import { checkCrashes } from "./crash-invariants.js";
import type { EffectLedger, KeyedAct } from "./effect-ledger.js";
import { InvariantBroken } from "./invariant-broken.js";
import { checkKind } from "./kind-invariants.js";
import { checkItem, partsIn } from "./map-invariants.js";
import { checkOperated, checkRequests } from "./operator-invariants.js";
import { isPassed, presentStory, roundsOf, unwindingOf } from "./story.js";

/** The invariants of ARCHITECTURE.md that one run's journal and its participants' ledger can break, as checks. */

/** Checks a row against the rows before it, at the moment it is appended. */
export function checkRow(plan: RunPlan, rows: readonly JournalRow[], row: JournalRow): void {
  const earlier = rows.flatMap((each) => each.records).flatMap(withInherited);
  const upTo = [...earlier, ...row.records];
  if (rows.length > 0 && earlier.some((record) => record.kind === "finished")) {
    throw new InvariantBroken(6, `row ${row.seq} follows the end of the run`);
  }
  if (row.fence < (rows.at(-1)?.fence ?? 0))
    throw new InvariantBroken(2, `row ${row.seq} has an older fence than the row before`);
  checkRequests(earlier, row.records);
  for (const [index, record] of row.records.entries()) {
    const before = [...earlier, ...row.records.slice(0, index).flatMap(withInherited)];
    const past = presentStory(plan, before);
    checkOperated(plan, before, past, record);
    checkCrashes(plan, before, record);
    if (record.kind === "dispatched" && record.direction === "forward") checkForwardOrder(plan, past, record.step);
    if (record.kind === "dispatched" && record.direction === "compensate") checkUndoOrder(plan, past, record.step);
    if (record.kind === "dispatched") checkNotEarly([...rows, row], record, row);
    if (record.kind === "unwinding") checkBeforePivot(plan, past);
    if (record.kind === "failed") checkRetryable(plan, record);
    checkKind(plan, [...rows, row], index, past);
    checkItem(plan, before, past, record);
  }
  if (upTo.filter((record) => record.kind === "finished").length > 1)
    throw new InvariantBroken(6, "the run ends twice");
}

/** Invariant 3: what a step depends on is durable, in this row or before, when it is dispatched. */
function checkForwardOrder(plan: RunPlan, past: readonly JournalRecord[], step: string): void {
  const wave = plannedOf(plan, step)?.wave ?? 0;
  for (const earlier of plan.waves.slice(0, wave).flat()) {
    if (!isPassed(past, earlier.name))
      throw new InvariantBroken(3, `"${step}" runs before "${earlier.name}" has completed`);
  }
  if (unwindingOf(past) !== null) throw new InvariantBroken(5, `"${step}" goes forward in an unwinding run`);
}

/** Invariant 5: reverse waves, after everything under way has settled, and only what may have run. */
function checkUndoOrder(plan: RunPlan, past: readonly JournalRecord[], step: string): void {
  const own = plannedOf(plan, step);
  if (!has(past, "dispatched", step)) throw new InvariantBroken(5, `"${step}" is undone though it never ran`);
  for (const planned of plan.steps.values()) {
    for (const part of partsIn(past, planned)) {
      if (isUnderWay(past, part)) throw new InvariantBroken(5, `"${step}" is undone while "${part}" is under way`);
      const later = planned.wave > (own?.wave ?? 0) && planned.compensation !== null && mayHaveRun(past, part);
      const undone =
        has(past, "compensated", part) || has(past, "compensation-skipped", part) || childIsUndone(past, part);
      if (later && !undone) throw new InvariantBroken(5, `"${step}" is undone before "${part}", which came after it`);
    }
  }
}

/** Invariant 8: no retry before its time, whoever owns the run. */
function checkNotEarly(
  rows: readonly JournalRow[],
  dispatched: JournalRecord & { kind: "dispatched" },
  row: JournalRow,
): void {
  let dueAt = 0;
  for (const each of rows) {
    for (const record of each.records) {
      if (record === dispatched) break;
      // What stands has its compensation begin anew, what was undone its step.
      if (record.kind === "forward-again" || record.kind === "retry-requested") dueAt = 0;
      if (record.kind !== "failed" || record.step !== dispatched.step || record.direction !== dispatched.direction)
        continue;
      dueAt = each.at + (record.retryAfterMs ?? 0);
    }
  }
  if (row.at < dueAt) throw new InvariantBroken(8, `"${dispatched.step}" is tried again ${dueAt - row.at} ms early`);
}

/** Invariant 8: what its saga says is not to be retried is not. */
function checkRetryable(plan: RunPlan, { step, direction, error, retryAfterMs }: JournalRecord & { kind: "failed" }) {
  const planned = plannedOf(plan, step);
  const retry = direction === "forward" ? planned?.retry : planned?.compensation?.retry;
  if (retryAfterMs !== undefined && retry?.nonRetryable.includes(error.code))
    throw new InvariantBroken(8, `"${step}" is to be tried again after "${error.code}"`);
}

function checkBeforePivot(plan: RunPlan, past: readonly JournalRecord[]): void {
  if (plan.pivotAfterWave === null) return;
  const upToPivot = plan.waves.slice(0, plan.pivotAfterWave + 1).flat();
  if (upToPivot.every((step) => isPassed(past, step.name)))
    throw new InvariantBroken(6, "a run past its pivot unwinds");
}

/** What a recovery would see is what the live run believes. */
export function checkSameState(recovered: RunState, live: RunState): void {
  try {
    deepStrictEqual(recovered, live);
  } catch (error) {
    throw new InvariantBroken(1, `the journal tells another story than the live run: ${String(error).slice(0, 600)}`);
  }
}

/** Who has no definition of a run, such as one who only shows it, reads the same of its end and of what it keeps. */
export function checkToldWithoutPlan(told: RunState, live: RunState): void {
  try {
    deepStrictEqual([told.end, told.signals], [live.end, live.signals]);
  } catch (error) {
    throw new InvariantBroken(1, `the journal tells another story without a plan: ${String(error).slice(0, 600)}`);
  }
}

/** Checks a run that ended, or was parked for good, against what its participants really did. */
export function checkAtEnd(schedule: {
  readonly plan: RunPlan;
  readonly rows: readonly JournalRow[];
  readonly ledger: Pick<EffectLedger, "has" | "order">;
  readonly state: RunState;
}): void {
  const { plan, rows, ledger, state } = schedule;
  const records = rows.flatMap((row) => row.records);
  for (const effect of ledger.order) checkDispatched(records, effect);
  if (state.end === null) {
    if (state.stuck === null && !state.paused) throw new InvariantBroken(6, "the run neither ended nor is parked");
    return;
  }
  const story = presentStory(plan, records);
  const { status } = state.end;
  for (const planned of plan.steps.values()) {
    const { name, compensation, definition } = planned;
    if (definition.kind === "sleep" || definition.kind === "wait") continue;
    if (status === "completed" && !isPassed(story, name))
      throw new InvariantBroken(6, `a completed run left "${name}" not done`);
    for (const part of partsIn(records, planned)) {
      for (const [round, own] of roundsOf(records, part)) {
        const act = (direction: Direction): KeyedAct => ({ step: part, direction, round });
        const done = ledger.has(act("forward"));
        const undone = ledger.has(act("compensate"));
        const counts = story.some(
          (record) => record.kind === "dispatched" && record.step === part && record.round === round,
        );
        if (status === "completed" && counts) {
          if (undone || (!done && !has(story, "step-skipped", name)))
            throw new InvariantBroken(6, `a completed run left "${part}" ${done ? "undone" : "not done"}`);
          continue;
        }
        if (status === "failed" || compensation === null) continue;
        if (done && !undone && !has(own, "compensation-skipped", part))
          throw new InvariantBroken(5, `a run ended ${status} and left the effect of "${part}" in round ${round}`);
      }
    }
  }
}

/** Invariant 3 and 5 seen from outside: nothing happens that was not durable before. */
function checkDispatched(records: readonly JournalRecord[], { step, direction, round }: KeyedAct): void {
  const known = records.some(
    (record) =>
      record.kind === "dispatched" && record.direction === direction && record.step === step && record.round === round,
  );
  if (known) return;
  const effect = `${direction} "${step}" in round ${round}`;
  throw new InvariantBroken(3, `${effect} happened, and the journal does not know that it was dispatched`);
}

function has(records: readonly JournalRecord[], kind: JournalRecord["kind"], step: string): boolean {
  return records.some((record) => record.kind === kind && "step" in record && record.step === step);
}

/** Dispatched forward by the present owner, no outcome yet. */
function isUnderWay(records: readonly JournalRecord[], step: string): boolean {
  let underWay = false;
  for (const record of records) {
    if (record.kind === "claimed") underWay = false;
    if (!("step" in record) || record.step !== step) continue;
    if (record.kind === "dispatched") underWay = record.direction === "forward";
    else if (record.kind === "completed" || record.kind === "failed" || record.kind === "suspended") underWay = false;
  }
  return underWay;
}

/** Completed, cut off by a crash, or failed with an unknown outcome. */
function mayHaveRun(all: readonly JournalRecord[], step: string): boolean {
  const { known, from } = childMayHaveRun(all, step);
  if (known) return true;
  const records = all.slice(from);
  let open: Direction | null = null;
  for (const record of records) {
    if (record.kind === "claimed" && open === "forward") return true;
    if (!("step" in record) || record.step !== step) continue;
    if (
      record.kind === "completed" ||
      (record.kind === "failed" && record.direction === "forward" && record.mayHaveRun)
    )
      return true;
    if (record.kind === "dispatched") open = record.direction;
    else open = null;
  }
  return false;
}
