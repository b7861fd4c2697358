import type { Act } from "../engine/act.js";
import { restoreContext } from "../engine/context.js";
import { fold } from "../engine/fold.js";
import { partsOf } from "../engine/items.js";
import type { RunPlan } from "../engine/plan.js";
import { isEnded, type JournalRow } from "../engine/records.js";
import { needsUndo, type RunState, type StepState } from "../engine/state.js";
import type { JsonObject } from "../json.js";
import type { Checkpoint, RunRow } from "../store/run-store.js";
import type { CompensationView, RunSummary, RunView, StepStatus, StepView } from "./views.js";

/** Folds a run's journal into what people read. `plan` may be missing: the steps are then those of the journal. */
export function viewOfRun(
  plan: RunPlan | null,
  run: RunRow,
  rows: readonly JournalRow[],
  snapshot: Checkpoint | null,
): RunView {
  return viewOfState(run, fold(plan, run.createdAt, rows), restoreContext(rows, snapshot));
}

/** The same from a state that is known already. */
export function viewOfState(run: RunRow, state: RunState, context: JsonObject): RunView {
  const steps: StepView[] = [];
  for (const step of state.steps.values()) {
    // Items follow the step that maps them, wherever they began.
    if (step.item === null) steps.push(viewOfStep(state, step));
    if (step.items !== null) for (const item of partsOf(step)) steps.push(viewOfStep(state, item));
  }
  return Object.assign(summaryOfRun(run), { input: run.input, output: run.output, context, steps, progress: null });
}

export function summaryOfRun(run: RunRow): RunSummary {
  return {
    id: run.id,
    type: run.type,
    definition: run.definition,
    version: run.version,
    parentId: run.parentId,
    status: run.status,
    rollbackStatus: run.rollbackStatus,
    sessionId: run.sessionId,
    businessKey: run.businessKey,
    attributes: run.attributes,
    restartedFrom: run.restartedFrom,
    createdAt: run.createdAt,
    updatedAt: run.updatedAt,
    endedAt: run.endedAt,
    error: run.failureReason,
  };
}

function viewOfStep(state: RunState, step: StepState): StepView {
  const { forward } = step;
  return {
    name: step.name,
    status: statusOfStep(state, forward),
    round: step.round,
    attempts: forward.attempt,
    startedAt: forward.startedAt,
    endedAt: forward.endedAt,
    output: step.output,
    error: forward.error,
    child: step.child,
    compensation: viewOfCompensation(step),
  };
}

function statusOfStep(state: RunState, act: Act): StepStatus {
  const ended = state.phase !== "forward" || (state.end !== null && isEnded(state.end.status));
  switch (act.status) {
    case "idle":
      return "pending";
    case "done":
      return "completed";
    case "refused":
      return act.mayHaveRun ? "unknown" : "refused";
    case "running":
      return "running";
    case "skipped":
      return "skipped";
    default: {
      const over = act.status === "failed" || ended;
      if (!over) return act.status === "interrupted" ? "running" : "waiting";
      return act.mayHaveRun ? "unknown" : "failed";
    }
  }
}

const COMPENSATION_STATUS: Readonly<Record<Act["status"], CompensationView["status"]>> = {
  idle: "waiting",
  running: "running",
  interrupted: "running",
  waiting: "waiting",
  suspended: "waiting",
  done: "compensated",
  refused: "failed",
  failed: "failed",
  skipped: "skipped",
};

function viewOfCompensation(step: StepState): CompensationView | null {
  const { undo, forward } = step;
  if (undo.status === "idle" || !needsUndo(step)) return null;
  return {
    status: COMPENSATION_STATUS[undo.status],
    outcome: forward.status === "done" ? "completed" : "unknown",
    attempts: undo.attempt,
    startedAt: undo.startedAt,
    endedAt: undo.endedAt,
    error: undo.error,
  };
}
