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
  if (act.child === null || !state.childEnds?.has(act.child.run)) return [];
  return [{ kind: "joined", step, direction, child: act.child.run }];
}

/**
 * What follows the parent's id in the key of the run that the step starts: another one in each round, and in a round each time
 * after one that was lost.
 */
export function childKey({ name, round, lostChildren }: StepState): string {
  const key = round === 1 ? name : `${name}:r${round}`;
  return lostChildren === 0 ? key : `${key}:${lostChildren + 1}`;
}

/** Children that may be under way are canceled in the row that says it. */
export function stopsForward(record: JournalRecord): boolean {
  if (record.kind === "retry-requested") return record.step !== undefined;
  return record.kind === "unwinding" || record.kind === "finished";
}
