import type { RunPlan } from "./plan.js";
import type { Failure } from "./records.js";
import type { ChildEnd, StepState } from "./state.js";

/** Why the step failed: the batch's own reason to halt; of a child, what became of it. */
export function errorOfEnd(plan: RunPlan | null, step: string, child: string, { status, error }: ChildEnd): Failure {
  if (error !== null && plan?.steps.get(step)?.definition.kind === "batch") return error;
  const cause = error === null ? "" : `: ${error.message}`;
  return { code: `child-${status}`, message: `run ${child} ended ${status}${cause}` };
}

/** Runs that the step started and that leave something, or may. */
export function childrenOf({ forward, leftovers }: StepState): number {
  return leftovers.length + (forward.status === "done" || forward.mayHaveRun ? 1 : 0);
}
