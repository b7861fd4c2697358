import type { Json } from "../json.js";
import { parseItemPath } from "./item-path.js";
import type { PlannedStep, RunPlan } from "./plan.js";
import { bytesOf } from "./signals.js";
import { isPassed, type MapState, type RunState, type StepState } from "./state.js";

/** The step of that path as planned; an item is planned as the step that maps. */
export function plannedOf(plan: RunPlan, path: string): PlannedStep | undefined {
  return plan.steps.get(path) ?? plan.steps.get(parseItemPath(path)?.step ?? "");
}

/** What an item's step is about; undefined for other steps. */
export function itemOf(
  state: RunState,
  { item }: Pick<StepState, "item">,
): { readonly item: Json; readonly index: number } | undefined {
  if (item === null) return undefined;
  return { item: state.steps.get(item.step)?.items?.list[item.index] ?? null, index: item.index };
}

/** Those that have begun and not completed. */
export function openItems({ open, steps }: MapState): StepState[] {
  return [...open].flatMap((index) => steps[index] ?? []);
}

/** The steps that are undone in the place of a planned one: its items, if it maps, else itself. */
export function partsOf(step: StepState): readonly StepState[] {
  return step.items === null ? [step] : step.items.steps.filter((item) => item !== undefined);
}

/** Some of them are to be done again: what counts of the rest is told anew. */
export function recount(map: MapState): void {
  map.open.clear();
  map.outputBytes = 0;
  map.next = 0;
  for (const [index, item] of map.steps.entries()) {
    if (item === undefined) continue;
    if (isPassed(item)) map.outputBytes += outputBytesOf(item);
    else if (hasBegun(item)) map.open.add(index);
  }
  moveNext(map);
}

export function open(map: MapState, index: number): void {
  map.open.add(index);
  moveNext(map);
}

/** In a round after the first one some that come later may have begun. */
function moveNext(map: MapState): void {
  for (let item = map.steps[map.next]; map.open.has(map.next) || (item !== undefined && isPassed(item)); ) {
    map.next += 1;
    item = map.steps[map.next];
  }
}

export function outputBytesOf({ output }: StepState): number {
  return bytesOf(output) + 1;
}

/** Also when only its input is known. */
function hasBegun({ forward, evaluated }: StepState): boolean {
  return forward.status !== "idle" || evaluated !== null;
}
