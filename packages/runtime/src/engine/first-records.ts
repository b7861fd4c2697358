import { decide } from "./decide.js";
import { foldRecord } from "./fold.js";
import type { RunPlan } from "./plan.js";
import type { JournalRecord } from "./records.js";
import { newState } from "./state.js";

const known = new WeakMap<RunPlan, readonly JournalRecord[]>();

/** What every new run of a plan begins with: nothing of it depends on the run or on the time, so it is decided once. */
export function firstRecordsOf(plan: RunPlan): readonly JournalRecord[] {
  let records = known.get(plan);
  if (records === undefined) {
    records = decide(plan, newState(plan, 0), 0).records;
    known.set(plan, records);
  }
  return records;
}

/** Of a run that begins with a record of its own. */
export function firstRecordsAfter(plan: RunPlan, first: JournalRecord): readonly JournalRecord[] {
  const state = newState(plan, 0);
  foldRecord(plan, state, first, 0);
  return [first, ...decide(plan, state, 0).records];
}
