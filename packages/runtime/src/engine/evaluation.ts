import type { Json } from "../json.js";
import type { RunPlan } from "./plan.js";
import type { Failure, JournalRecord } from "./records.js";
import { type RunState, stepOf } from "./state.js";
import { kindOf } from "./steps/index.js";

/** What the worker found out about the expressions of one step. */
export type Evaluation =
  /** The condition said no. */
  | { readonly kind: "skip" }
  | { readonly kind: "values"; readonly input?: Json; readonly value?: Json }
  | { readonly kind: "failed"; readonly error: Failure };

/** Turns it into the record that says it: whatever the step does from here on follows from that record. Pure. */
export function recordEvaluation(plan: RunPlan, state: RunState, step: string, evaluation: Evaluation): JournalRecord {
  if (evaluation.kind === "skip") return { kind: "skipped", step };
  if (evaluation.kind === "failed") return failed(state, step, evaluation.error);
  const { input, value } = evaluation;
  const planned = plan.steps.get(step);
  const refusal = value === undefined || planned === undefined ? null : kindOf(planned).refusesValue?.(value);
  if (refusal) return failed(state, step, { code: "expression-failed", message: `step "${step}": ${refusal}` });
  return { kind: "evaluated", step, ...(input !== undefined && { input }), ...(value !== undefined && { value }) };
}

/** Evaluating it again would give the same: it is not tried again. */
function failed(state: RunState, step: string, error: Failure): JournalRecord {
  const { attempt } = stepOf(state, step).forward;
  return { kind: "failed", step, direction: "forward", attempt, error, refused: false, mayHaveRun: false };
}
