import { backoffMs } from "./backoff.js";
import { plannedOf } from "./items.js";
import type { RunPlan } from "./plan.js";
import type { ContextDelta, Direction, Failure, JournalRecord } from "./records.js";
import { isNonRetryable } from "./retryable.js";
import { isPastPivot, type RunState, stepOf } from "./state.js";
import type { StepOutcome, Suspension } from "./step-outcome.js";

/** Turns what is known about an attempt into the record that says it, with the decision whether to try again. Pure. */
export function recordOutcome(
  plan: RunPlan,
  state: RunState,
  attempt: { readonly step: string; readonly direction: Direction; readonly attempt: number },
  outcome: StepOutcome | Suspension,
  random: () => number,
  context?: ContextDelta,
): JournalRecord {
  const { step, direction } = attempt;
  if (outcome.kind === "suspended") {
    if (outcome.child === undefined) {
      const { until, awaits } = outcome;
      const suspended = { kind: "suspended", step, attempt: attempt.attempt, awaits } as const;
      return until === null ? suspended : { ...suspended, until };
    }
    const { child, undoes } = outcome;
    return {
      ...{ kind: "suspended", step, attempt: attempt.attempt, child },
      ...(direction === "compensate" && { direction }),
      ...(undoes && { undoes: true }),
    };
  }
  if (outcome.kind === "completed") {
    if (direction === "compensate") return { kind: "compensated", step, attempt: attempt.attempt };
    const completed = { kind: "completed", step, attempt: attempt.attempt, output: outcome.output } as const;
    return context === undefined ? completed : { ...completed, context };
  }
  const base = { kind: "failed", step, direction, attempt: attempt.attempt, error: outcome.error } as const;
  if (outcome.kind === "refused") return { ...base, refused: true, mayHaveRun: false };
  const retryAfterMs = outcome.retry ? delayMs(plan, state, attempt, outcome, random) : undefined;
  const failed = { ...base, refused: false, mayHaveRun: outcome.mayHaveRun };
  return retryAfterMs === undefined ? failed : { ...failed, retryAfterMs };
}

/** Undefined: that was the last attempt. */
function delayMs(
  plan: RunPlan,
  state: RunState,
  { step: name, direction }: { readonly step: string; readonly direction: Direction },
  { error, retryAfterMs }: { readonly error: Failure; readonly retryAfterMs?: number },
  random: () => number,
): number | undefined {
  const planned = plannedOf(plan, name);
  const policy = direction === "forward" ? planned?.retry : planned?.compensation?.retry;
  if (policy === undefined || isNonRetryable(policy.nonRetryable, error)) return undefined;
  const step = stepOf(state, name);
  const failures = (direction === "forward" ? step.forward : step.undo).failures + 1;
  if (direction === "forward") {
    // A sibling failed: this step is not tried again, its attempt is what the unwind goes by.
    if (state.phase === "unwinding") return undefined;
    const endless = isPastPivot(plan, state) || plan.strategy === "retry";
    if (failures >= policy.maxAttempts && !endless) return undefined;
    if (failures >= policy.maxAttempts)
      return backoffMs({ ...policy, initialDelayMs: policy.maxDelayMs }, 1, random, retryAfterMs);
  } else if (failures >= policy.maxAttempts) return undefined;
  return backoffMs(policy, failures, random, retryAfterMs);
}
