import type { Json } from "../json.js";
import { plannedOf } from "./items.js";
import type { RunPlan } from "./plan.js";
import type { Failure, JournalRecord } from "./records.js";
import type { RunState } from "./state.js";
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
  const planned = plannedOf(plan, step);
  const refusal = value === undefined || planned === undefined ? null : kindOf(planned).refusesValue?.(planned, value);
  if (refusal) return failed(state, step, { code: "expression-failed", message: `step "${step}": ${refusal}` });
  if (planned?.definition.kind === "map" && Array.isArray(value)) return { kind: "expanded", step, items: value };
  return { kind: "evaluated", step, ...(input !== undefined && { input }), ...(value !== undefined && { value }) };
}

/** Evaluating it again would give the same: it is not tried again. */
function failed(state: RunState, step: string, error: Failure): JournalRecord {
  // An item that has not begun has no state yet.
  const attempt = state.steps.get(step)?.forward.attempt ?? 0;
  return { kind: "failed", step, direction: "forward", attempt, error, refused: false, mayHaveRun: false };
}
