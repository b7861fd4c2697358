import type { Json } from "../json.js";
import type { RunPlan } from "./plan.js";
import type { ContextDelta, Failure, JournalRecord } from "./records.js";
import { needsUndo, type RunState, type StepState, stepOf } from "./state.js";

/** What an event tells of a unit of a choreographed run. */
export interface UnitEvent {
  readonly id: string;
  /** Null: the saga as a whole. */
  readonly unit: string | null;
  /** `completed`, `failed`, `compensated`, `stuck`; what else there is adds nothing. */
  readonly news: string;
  /** Why it does not go on. */
  readonly error: Failure | null;
  /** The stage said no, it did not break. */
  readonly refused: boolean;
  /** With `stuck`: in undoing what it had completed. */
  readonly undoing?: boolean;
  /** What the stage returned, and what it changed in the context. */
  readonly output: Json;
  readonly changed: ContextDelta | null;
}

/**
 * The records that take an event of a choreographed run into its journal, as if the run had been led by its owner. Events of different
 * services may come in any order, late, and again under another id: what is known already adds nothing. Pure; the caller folds them.
 */
export function observe(plan: RunPlan, state: RunState, event: UnitEvent): JournalRecord[] {
  const { unit, news } = event;
  if (unit === null) return [];
  const step = plan.steps.has(unit) ? stepOf(state, unit) : null;
  const records = observeUnit(plan, state, event, step);
  // An event that comes again says nothing of what its unit is stuck in now.
  const isNew = step === null || records.length > 0;
  return state.stuckUnits?.has(unit) && news !== "stuck" && isNew ? [released(event, unit), ...records] : records;
}

function observeUnit(plan: RunPlan, state: RunState, event: UnitEvent, step: StepState | null): JournalRecord[] {
  switch (event.news) {
    case "completed":
      return step === null || step.forward.status !== "idle" ? [] : completed(step, event);
    case "failed":
      return step === null || step.forward.status !== "idle" ? [] : failed(step, event);
    case "compensated":
      return compensated(plan, state, event.unit ?? "", step);
    case "stuck":
      // It comes after the end that an operator led the stage to.
      if (step !== null && isOver(step, event)) return [];
      return [
        {
          kind: "stuck",
          error: event.error ?? { code: "stuck", message: "the stage waits for an operator" },
          ...{ unit: event.unit ?? "", ...(step !== null && { step: step.name }) },
        },
      ];
    default:
      return [];
  }
}

/** It was stuck, and has gone on. */
function released({ id }: UnitEvent, unit: string): JournalRecord {
  return { kind: "resumed", unit, actor: "choreography", reason: `stage "${unit}" goes on`, request: id };
}

function completed({ name, round }: StepState, { output, changed }: UnitEvent): JournalRecord[] {
  return [
    { kind: "dispatched", step: name, direction: "forward", attempt: 1, round },
    { kind: "completed", step: name, attempt: 1, output, ...(changed !== null && { context: changed }) },
  ];
}

/** What its unit could not undo itself it has undone by the time it says so. */
function failed({ name, round }: StepState, { error, refused }: UnitEvent): JournalRecord[] {
  const why = error ?? { code: "failed", message: `stage "${name}" failed` };
  return [
    { kind: "dispatched", step: name, direction: "forward", attempt: 1, round },
    { kind: "failed", step: name, direction: "forward", attempt: 1, error: why, refused, mayHaveRun: !refused },
  ];
}

function compensated(plan: RunPlan, state: RunState, unit: string, step: StepState | null): JournalRecord[] {
  const records: JournalRecord[] = [];
  const { abort, unwind } = state;
  const error = unwind?.error ?? abort?.error ?? { code: "aborted", message: `stage "${unit}" was undone` };
  const cause = unwind?.cause ?? abort?.cause ?? "compensate";
  if (state.phase === "forward") records.push({ kind: "unwinding", cause, compensate: true, error });
  if (plan.waves[0]?.[0]?.name !== unit) return step === null ? records : [...records, ...undone(plan, step)];
  // Going back has come to its beginning, so all of it is undone, whoever's event is still on its way.
  for (const each of [...state.steps.values()].reverse()) records.push(...undone(plan, each));
  records.push({ kind: "finished", status: cause === "cancel" ? "cancelled" : "compensated", error });
  return records;
}

function undone(plan: RunPlan, step: StepState): JournalRecord[] {
  const { name, round, undo } = step;
  if (!plan.steps.get(name)?.compensation || !needsUndo(step) || undo.status !== "idle") return [];
  return [
    { kind: "dispatched", step: name, direction: "compensate", attempt: 1, round },
    { kind: "compensated", step: name, attempt: 1 },
  ];
}

/** What a stage was stuck in has ended since. */
function isOver({ forward, undo }: StepState, { undoing = false }: UnitEvent): boolean {
  return undoing ? undo.status === "done" || undo.status === "skipped" : forward.status !== "idle";
}
