import { newAct } from "./act.js";
import { plannedOf } from "./items.js";
import { recount } from "./map-state.js";
import type { RunPlan } from "./plan.js";
import { isPassed, type MapState, type RunState, type StepState, stepOf } from "./state.js";

/**
 * Going forward again after something was undone. What stands is not done again. A step that was undone runs again in a new
 * round: under a key of its own, because a participant's barrier turns away what comes under the old one. So does every
 * step of a later wave that was ever begun: it was called with outputs that are no longer true.
 */
export function goForward(plan: RunPlan | null, state: RunState): void {
  const from = state.unwindTo ?? lowestUndone(plan, state);
  for (const step of state.steps.values()) {
    const wave = waveOf(plan, step);
    const isAffected = state.unwindTo === null ? wave > from : wave >= from;
    if (isUndone(step) || isAffected) beginRound(state, step);
    // It stands: should it be undone later, its compensation begins anew.
    else Object.assign(step.undo, { ...newAct(), attempt: step.undo.attempt });
  }
  for (const step of state.steps.values()) if (step.items !== null) goOn(state, step, step.items);
  state.phase = "forward";
  Object.assign(state, { unwind: null, unwindTo: null, cancel: null, wave: 0 });
  skipPassedWaves(plan, state);
}

/** A list that was undone in part stands: its items that were undone are done again, in rounds of their own. */
function goOn(state: RunState, step: StepState, items: MapState): void {
  recount(items);
  if (step.forward.status !== "done" || (items.open.size === 0 && items.next === items.list.length)) return;
  Object.assign(step.forward, { ...newAct(), attempt: step.forward.attempt });
  step.output = null;
  delete state.outputs[step.name];
}

export function skipPassedWaves(plan: RunPlan | null, state: RunState): void {
  while (plan?.waves[state.wave]?.every((planned) => isPassed(stepOf(state, planned.name)))) state.wave += 1;
}

export function beginRound(state: RunState, step: StepState): void {
  // No call was made under the key of a round without an attempt.
  if (step.forward.attempt > 0) step.round += 1;
  Object.assign(step, { evaluated: null, child: null, lostChildren: 0, leftovers: [], items: null });
  Object.assign(step, { heartbeat: null, task: null });
  Object.assign(step.forward, newAct());
  Object.assign(step.undo, newAct());
  step.output = null;
  delete state.outputs[step.name];
}

/** The first wave of which a compensation was begun; infinite: none. */
export function lowestUndoing(plan: RunPlan | null, state: RunState): number {
  return lowest(plan, state, (step) => step.undo.status !== "idle");
}

function lowestUndone(plan: RunPlan | null, state: RunState): number {
  return lowest(plan, state, isUndone);
}

function lowest(plan: RunPlan | null, state: RunState, which: (step: StepState) => boolean): number {
  return Math.min(...[...state.steps.values()].filter(which).map((step) => waveOf(plan, step)));
}

export function isUndone({ undo }: StepState): boolean {
  return undo.status === "done" || undo.status === "skipped";
}

function waveOf(plan: RunPlan | null, step: StepState): number {
  return (plan && plannedOf(plan, step.name)?.wave) ?? 0;
}
