import { parseItemPath } from "../engine/item-path.js";
import { plannedOf } from "../engine/items.js";
import type { RunPlan } from "../engine/plan.js";
import type { JournalRecord } from "../engine/records.js";
import { childIsUndone, joinedAs } from "./child-invariants.js";

/**
 * A run's records as they count now: what a new round made void is left out, and so is the unwinding that is over. Told
 * from the rules of operating a run, not from `fold`, so that one checks the other.
 */
export function presentStory(plan: RunPlan, records: readonly JournalRecord[]): readonly JournalRecord[] {
  let story: JournalRecord[] = [];
  for (const record of records) {
    story.push(record);
    const goesForward =
      record.kind === "forward-again" ||
      (record.kind === "retry-requested" && record.step === undefined && unwindingOf(story) !== null);
    const to = record.kind === "forward-again" ? (unwindingOf(story)?.to ?? null) : null;
    if (goesForward) story = withoutVoid(plan, story, to);
  }
  return story;
}

/** Null: the run goes forward. `to`: it unwinds down to this wave; null: all the way. */
export function unwindingOf(story: readonly JournalRecord[]): { readonly to: number | null } | null {
  const last = story.findLast(
    (record) => record.kind === "unwinding" || (record.kind === "retry-requested" && record.step !== undefined),
  );
  if (last === undefined) return null;
  return { to: last.kind === "retry-requested" ? (last.wave ?? null) : null };
}

/** What was undone is as if it had never been, and all that was begun with it. */
function withoutVoid(plan: RunPlan, story: readonly JournalRecord[], to: number | null): JournalRecord[] {
  const waveOf = (step: string): number => plannedOf(plan, step)?.wave ?? 0;
  const undone = [
    ...stepsWith(story, ["compensated", "compensation-skipped"]),
    ...[...plan.steps.keys()].filter((step) => childIsUndone(story, step)),
  ];
  const begun = stepsWith(story, ["dispatched", "suspended", "skipped", "evaluated", "expanded", "failed"]);
  const lowest = Math.min(...undone.map(waveOf));
  const isVoid = new Set([
    ...undone,
    ...begun.filter((step) => (to === null ? waveOf(step) > lowest : waveOf(step) >= to)),
  ]);
  return story.filter((record) => {
    if (["unwinding", "retry-requested", "forward-again"].includes(record.kind)) return false;
    // Of a compensation that had no effect nothing is left either.
    if ("direction" in record && record.direction === "compensate") return false;
    // A list that was undone in part stands, and its results do not.
    if (record.kind === "gathered" && undone.some((step) => parseItemPath(step)?.step === record.step)) return false;
    return !("step" in record && record.step !== undefined && isVoid.has(record.step));
  });
}

function stepsWith(records: readonly JournalRecord[], kinds: readonly JournalRecord["kind"][]): string[] {
  return records.flatMap((record) =>
    kinds.includes(record.kind) && "step" in record && record.step !== undefined ? [record.step] : [],
  );
}

/** The saga went on after the step. */
export function isPassed(story: readonly JournalRecord[], step: string): boolean {
  const passed = stepsWith(story, ["completed", "received", "skipped", "step-skipped", "gathered"]);
  return passed.includes(step) || joinedAs(story, step, "forward") === "completed";
}

/** A step's records by the round they belong to. */
export function roundsOf(
  records: readonly JournalRecord[],
  step: string,
): ReadonlyMap<number, readonly JournalRecord[]> {
  const rounds = new Map<number, JournalRecord[]>();
  let round = 1;
  for (const record of records) {
    if (!("step" in record) || record.step !== step) continue;
    if (record.kind === "dispatched") round = record.round;
    rounds.set(round, [...(rounds.get(round) ?? []), record]);
  }
  return rounds;
}
