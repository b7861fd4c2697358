import { parseItemPath } from "../engine/item-path.js";
import type { PlannedStep, RunPlan } from "../engine/plan.js";
import type { JournalRecord } from "../engine/records.js";
import { InvariantBroken } from "./invariant-broken.js";

/** What steps that map over a list promise, judged by the journal alone. */

/** The parts of a step that are done and undone: those of its items that the journal knows, or the step itself. */
export function partsIn(records: readonly JournalRecord[], { name, definition }: PlannedStep): readonly string[] {
  if (definition.kind !== "map") return [name];
  // Skipped as a whole, or without a list.
  return [...new Set(records.flatMap((record) => ("step" in record && record.step ? [record.step] : [])))].filter(
    (step) => parseItemPath(step)?.step === name,
  );
}

/** Checks a record of an item, or of its step, against everything before it; `past`: what of that still counts. */
export function checkItem(
  plan: RunPlan,
  before: readonly JournalRecord[],
  past: readonly JournalRecord[],
  record: JournalRecord,
): void {
  if (record.kind === "gathered") return checkGathered(past, record.step);
  if (record.kind !== "dispatched") return;
  const place = parseItemPath(record.step);
  const planned = plan.steps.get(place?.step ?? "");
  if (place === null || planned?.definition.kind !== "map") return;
  const { concurrency } = planned.definition;
  const { length } = listOf(past, place.step);
  if (place.index >= length) throw new InvariantBroken(3, `"${record.step}" is dispatched, of a list of ${length}`);
  const siblings = partsIn(past, planned).filter((path) => path !== record.step);
  const busy = siblings.filter((path) => isBusy(past, path, record.direction));
  if (busy.length >= concurrency)
    throw new InvariantBroken(
      12,
      `"${record.step}" is dispatched beside ${busy.length} others, not ${concurrency - 1}`,
    );
  if (record.direction === "compensate") return checkUndone(past, siblings, place.index);
  const gone = siblings.find((path) => hasFailed(before, path));
  if (gone !== undefined) throw new InvariantBroken(5, `"${record.step}" is dispatched after "${gone}" has failed`);
}

/** Last item first. */
function checkUndone(past: readonly JournalRecord[], siblings: readonly string[], index: number): void {
  for (const path of siblings) {
    const own = past.filter((record) => "step" in record && record.step === path);
    const isDone = own.some((record) => record.kind === "completed");
    const isBegun = own.some((record) => record.kind === "dispatched" && record.direction === "compensate");
    if ((parseItemPath(path)?.index ?? 0) > index && isDone && !isBegun)
      throw new InvariantBroken(5, `item ${index} is undone before "${path}", which came after it`);
  }
}

function checkGathered(past: readonly JournalRecord[], step: string): void {
  for (const index of listOf(past, step).keys()) {
    const path = `items[${index}]/${step}`;
    if (!past.some((record) => record.kind === "completed" && record.step === path))
      throw new InvariantBroken(3, `"${step}" has its results before "${path}" has completed`);
  }
}

function listOf(past: readonly JournalRecord[], step: string): readonly unknown[] {
  const expanded = past.findLast((record) => record.kind === "expanded" && record.step === step);
  if (expanded?.kind === "expanded") return expanded.items;
  const inherited = past.find((record) => record.kind === "inherited");
  const items = inherited?.kind === "inherited" && inherited.steps.find((each) => each.step === step)?.items;
  if (items) return items;
  throw new InvariantBroken(3, `an item of "${step}" begins before its list is known`);
}

/** Begun in that direction, and not at its end: also between two attempts. */
function isBusy(past: readonly JournalRecord[], path: string, direction: "forward" | "compensate"): boolean {
  const own = past.filter((record) => "step" in record && record.step === path);
  const begun = own.findLastIndex((record) => record.kind === "dispatched" && record.direction === direction);
  if (begun < 0) return false;
  const after = own.slice(begun + 1).at(-1);
  return after === undefined || (after.kind === "failed" && after.retryAfterMs !== undefined);
}

const LED_ON: ReadonlySet<JournalRecord["kind"]> = new Set(["resumed", "retry-requested", "forward-again"]);

/** For good, and no operator has led the run on. */
function hasFailed(past: readonly JournalRecord[], path: string): boolean {
  const last = past.findLastIndex(
    (record) => record.kind === "failed" && record.step === path && record.direction === "forward",
  );
  const failed = past[last];
  if (failed?.kind !== "failed" || failed.retryAfterMs !== undefined) return false;
  return !past.slice(last).some(({ kind }) => LED_ON.has(kind));
}
