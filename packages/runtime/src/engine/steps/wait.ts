import type { PlannedStep } from "../plan.js";
import type { StepKind } from "./step-kind.js";

/**
 * Waits for a signal by name; its payload is the step's output. Signals are taken in the order they came, also those that
 * came before the step began. One that came after the step's time was up is not for it, however late that is noticed.
 */
export const wait: StepKind = {
  begin: (planned, step) => {
    const { timeoutMs } = waitOf(planned);
    const base = { kind: "suspended", step: planned.name, attempt: step.forward.attempt + 1 } as const;
    return timeoutMs === null ? base : { ...base, afterMs: timeoutMs };
  },
  proceed: ({ planned, step, state, now }) => {
    const { name } = planned;
    const { dueAt, attempt } = step.forward;
    const { signal, onTimeout, timeoutMs } = waitOf(planned);
    const taken = state.signals.find(
      (kept) => kept.name === signal && kept.arrivedAt <= (dueAt ?? Number.POSITIVE_INFINITY),
    );
    if (taken !== undefined) return [{ kind: "received", step: name, attempt, signal: taken.id }];
    if (dueAt === null || now < dueAt) return [];
    if (onTimeout === "skip") return [{ kind: "skipped", step: name, timedOut: true }];
    const message = `expected the signal "${signal}" within ${timeoutMs} ms of the beginning of step "${name}", it did not come`;
    const error = { code: "signal-timeout", message };
    const refused = onTimeout === "refuse";
    return [{ kind: "failed", step: name, direction: "forward", attempt, error, refused, mayHaveRun: false }];
  },
};

function waitOf({ definition }: PlannedStep) {
  if (definition.kind !== "wait") throw new Error(`expected a step that waits, got "${definition.kind}"`);
  return definition;
}
