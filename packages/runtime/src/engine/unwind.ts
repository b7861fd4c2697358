import type { PlannedStep, RunPlan } from "./plan.js";
import type { JournalRecord } from "./records.js";
import { isUndone } from "./rounds.js";
import { needsUndo, type RunState, type StepState, stepOf } from "./state.js";
import { kindOf } from "./steps/index.js";

/**
 * Unwinding: once nothing goes forward any more, the compensations of every step that completed or may have run, wave
 * by wave from the last to the first, the steps of a wave in parallel. Nothing cancels it. A compensation that fails
 * for good makes the run `stuck`, after its siblings have come to their end. An operator may have it stop at a wave, to go
 * forward again from there.
 */
export function decideUnwind(plan: RunPlan, state: RunState, now: number): JournalRecord[] {
  const unwind = state.unwind;
  if (unwind === null) throw new Error("expected an unwinding run to know why it unwinds");
  if (forwardActs(plan, state)) return [];
  if (!unwind.compensate) return [{ kind: "finished", status: "failed", error: unwind.error }];

  for (let index = Math.min(state.wave, plan.waves.length - 1); index >= (state.unwindTo ?? 0); index--) {
    const open = (plan.waves[index] ?? [])
      .map((planned) => ({ planned, step: stepOf(state, planned.name) }))
      .filter(({ planned, step }) => planned.compensation !== null && needsUndo(step) && !isUndone(step));
    if (open.length === 0) continue;
    const due = open.filter(({ step }) => isDue(step, now));
    if (due.length > 0) return due.map(({ planned, step }) => dispatch(planned, step));
    for (const { planned, step } of open) {
      const record = step.undo.status === "suspended" ? kindOf(planned).proceedUndo?.(planned, step, state) : null;
      if (record) return [record];
    }
    return decideStuck(open.map(({ step }) => step));
  }
  if (state.unwindTo !== null) return [{ kind: "forward-again" }];
  const status = unwind.cause === "cancel" ? "cancelled" : "compensated";
  return [{ kind: "finished", status, error: unwind.error }];
}

/** In-flight siblings end their attempt before anything is undone; they are not retried. */
function forwardActs(plan: RunPlan, state: RunState): boolean {
  const wave = plan.waves[state.wave] ?? [];
  return state.running > 0 && wave.some((planned) => stepOf(state, planned.name).forward.status === "running");
}

function isDue(step: StepState, now: number): boolean {
  const { status, dueAt } = step.undo;
  return status === "idle" || status === "interrupted" || (status === "waiting" && (dueAt ?? 0) <= now);
}

function dispatch({ name }: PlannedStep, { undo, round }: StepState): JournalRecord {
  return { kind: "dispatched", step: name, direction: "compensate", attempt: undo.attempt + 1, round };
}

function decideStuck(open: readonly StepState[]): JournalRecord[] {
  const quiet = open.every((step) => step.undo.status === "failed" || step.undo.status === "refused");
  const broken = open.find((step) => step.undo.status === "failed" || step.undo.status === "refused");
  if (!quiet || broken === undefined) return [];
  const error = broken.undo.error ?? {
    code: "compensation-failed",
    message: `compensation of "${broken.name}" failed`,
  };
  return [{ kind: "stuck", step: broken.name, error }];
}
