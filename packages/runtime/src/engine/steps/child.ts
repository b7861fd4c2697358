import type { Act } from "../act.js";
import type { Direction, JournalRecord } from "../records.js";
import type { RunState, StepState } from "../state.js";
import { action } from "./action.js";
import type { StepKind } from "./step-kind.js";

/**
 * Another saga, run as a child: dispatched like an action, and what the worker does is to create the run, under an id that
 * follows from the step's key. Then the step is suspended until that run has ended, which is told by a message. Its
 * compensation sees to it that the child ends, and, if it did something, that a run of its own undoes it.
 */
export const child: StepKind = {
  begin: action.begin,
  proceed: ({ step, state }) => joins(step.name, step.forward, "forward", state),
  proceedUndo: ({ step, state }) => joins(step.name, step.undo, "compensate", state),
};

function joins(step: string, act: Act, direction: Direction, state: RunState): JournalRecord[] {
  if (act.child === null || !state.childEnds.has(act.child.run)) return [];
  return [{ kind: "joined", step, direction, child: act.child.run }];
}

/** What follows the parent's id in the key of the run that the step starts: each time another one after one that was lost. */
export function childKey({ name, lostChildren }: StepState): string {
  return lostChildren === 0 ? name : `${name}:${lostChildren + 1}`;
}
