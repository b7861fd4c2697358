import type { Json } from "../json.js";
import { itemPath } from "./item-path.js";
import { bytesOf } from "./signals.js";
import { isPassed, type MapState, type RunState, type StepState } from "./state.js";

/** How a list's state follows from what happened to its items: which are open, which is next, how much they returned. */

export function expand(state: RunState, step: StepState, list: readonly Json[]): void {
  step.evaluated = {};
  step.items = { list, steps: [], next: 0, open: new Set(), outputBytes: 0 };
  // Items of an earlier round are there already, whatever its list was.
  if (step.round > 1) step.items.steps.push(...list.map((_, index) => state.steps.get(itemPath(step.name, index))));
}

/** An item has begun; nothing, for other steps. */
export function openItem(state: RunState, { item }: StepState): void {
  const map = item === null ? null : state.steps.get(item.step)?.items;
  if (item === null || !map) return;
  map.open.add(item.index);
  moveNext(map);
}

/** It has completed. */
export function closeItem(state: RunState, step: StepState): void {
  const map = step.item === null ? null : state.steps.get(step.item.step)?.items;
  if (step.item === null || !map) return;
  map.open.delete(step.item.index);
  map.outputBytes += outputBytesOf(step);
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

/** In a round after the first one some that come later may have begun. */
function moveNext(map: MapState): void {
  for (let item = map.steps[map.next]; map.open.has(map.next) || (item !== undefined && isPassed(item)); ) {
    map.next += 1;
    item = map.steps[map.next];
  }
}

function outputBytesOf({ output }: StepState): number {
  return bytesOf(output) + 1;
}

/** Also when only its input is known. */
function hasBegun({ forward, evaluated }: StepState): boolean {
  return forward.status !== "idle" || evaluated !== null;
}
