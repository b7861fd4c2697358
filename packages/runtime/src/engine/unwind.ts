import { openItems, partsOf } from "./items.js";
import type { PlannedStep, RunPlan } from "./plan.js";
import type { EndStatus, JournalRecord } from "./records.js";
import { isUndone } from "./rounds.js";
import { isDue, needsUndo, type RunState, type StepState, stepOf } from "./state.js";
import { kindOf } from "./steps/index.js";

/**
 * Unwinding: once nothing goes forward any more, the compensations of every step that completed or may have run, wave
 * by wave from the last to the first, the steps of a wave in parallel. Nothing cancels it. A compensation that fails
 * for good makes the run `stuck`, after its siblings have come to their end. An operator may have it stop at a wave, to go
 * forward again from there. Where nothing is to be undone, only what has to end before the run is.
 */
export function decideUnwind(plan: RunPlan, state: RunState, now: number): readonly JournalRecord[] {
  const unwind = state.unwind;
  if (unwind === null) throw new Error("expected an unwinding run to know why it unwinds");
  if (forwardActs(plan, state)) return [];
  for (let index = Math.min(state.wave, plan.waves.length - 1); index >= (state.unwindTo ?? 0); index--) {
    const open: OpenPart[] = [];
    for (const planned of plan.waves[index] ?? [])
      if (unwind.compensate || kindOf(planned).endsBeforeRun) addOpen(open, planned, stepOf(state, planned.name));
    if (open.length === 0) continue;
    const due = open.filter(({ step, mayBegin }) => mayBegin && isDue(step.undo, now));
    if (due.length > 0) return due.map(({ step }) => dispatch(step));
    for (const { planned, step } of open) {
      if (step.undo.status !== "suspended") continue;
      const records = kindOf(planned).proceedUndo?.({ plan, planned, step, state, now }) ?? [];
      if (records.length > 0) return records;
    }
    return decideStuck(open.map(({ step }) => step));
  }
  if (state.unwindTo !== null) return [{ kind: "forward-again" }];
  return [{ kind: "finished", status: endOf(unwind), error: unwind.error }];
}

function endOf({ compensate, cause }: NonNullable<RunState["unwind"]>): EndStatus {
  if (!compensate) return "failed";
  return cause === "cancel" ? "cancelled" : "compensated";
}

interface OpenPart {
  readonly planned: PlannedStep;
  readonly step: StepState;
  /** There is room for one more compensation of the step's items. */
  readonly mayBegin: boolean;
}

/** What is still to be undone of a step: the step, or those of its items that completed or may have run. */
function addOpen(open: OpenPart[], planned: PlannedStep, step: StepState): void {
  if (planned.compensation === null) return;
  if (step.items !== null) for (const item of openItemsOf(planned, step)) open.push(item);
  else if (isOpen(step)) open.push({ planned, step, mayBegin: true });
}

/** Last item first. Those between two attempts keep their places; an operator's resume can make more of them than there are places. */
function openItemsOf(planned: PlannedStep, step: StepState): OpenPart[] {
  const open = partsOf(step).filter(isOpen).reverse();
  const isBetween = ({ undo }: StepState): boolean => undo.status === "waiting" || undo.status === "interrupted";
  const order = [...open.filter(isBetween), ...open.filter(({ undo }) => undo.status === "idle")];
  const running = open.filter(({ undo }) => undo.status === "running").length;
  const places = planned.definition.kind === "map" ? planned.definition.concurrency : 1;
  const next = new Set(order.slice(0, Math.max(0, places - running)));
  return open.map((item) => ({ planned, step: item, mayBegin: next.has(item) }));
}

const isOpen = (step: StepState): boolean => needsUndo(step) && !isUndone(step);

/** In-flight siblings end their attempt before anything is undone; they are not retried. */
function forwardActs(plan: RunPlan, state: RunState): boolean {
  const wave = plan.waves[state.wave] ?? [];
  return state.running > 0 && wave.some((planned) => isRunning(stepOf(state, planned.name)));
}

function isRunning({ forward, items }: StepState): boolean {
  return forward.status === "running" || (items !== null && openItems(items).some(isRunning));
}

function dispatch({ name, undo, round }: StepState): JournalRecord {
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
