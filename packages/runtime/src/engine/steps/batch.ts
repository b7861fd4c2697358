import { child } from "./child.js";
import type { StepKind } from "./step-kind.js";

/**
 * The items of a source: dispatched like an action, and what the worker does is to open the batch in the store. Then the step is suspended
 * until a message tells that the batch has ended, or halted, as the end of a child is told. Its compensation closes the batch and waits for
 * the chunks under way; what was done stays done. Each time after it halted is another round of it.
 */
export const batch: StepKind = { ...child, endsBeforeRun: true };

/** What the step waits for, in a round: a name that no run has. */
export function batchRound(run: string, round: number): string {
  return `${run}:round-${round}`;
}

/** What its compensation waits for while chunks are under way. */
export function batchClosing(run: string): string {
  return `${run}:closing`;
}
