import type { StepKind } from "./step-kind.js";

/** A call of a service or of a function in this process: dispatched, performed by the worker, ended by its outcome. */
export const action: StepKind = {
  begin: ({ name }, step) => ({
    kind: "dispatched",
    step: name,
    direction: "forward",
    attempt: step.forward.attempt + 1,
    round: step.round,
  }),
  // Its outcome comes from the worker.
  proceed: () => [],
};
