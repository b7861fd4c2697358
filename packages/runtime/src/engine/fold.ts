import type { Json } from "../json.js";
import { abortRequest } from "./abort-request.js";
import type { Act } from "./act.js";
import { childrenOf, errorOfEnd } from "./child-end.js";
import { applyDelta } from "./context.js";
import { noteTakeover } from "./crashes.js";
import { inherit } from "./inherit.js";
import { closeItem, expand, openItem } from "./map-state.js";
import { move } from "./move.js";
import type { RunPlan } from "./plan.js";
import type { JournalRecord, JournalRow } from "./records.js";
import { begin, release, resume, resumeActs, retry } from "./resume.js";
import { beginRound, skipPassedWaves } from "./rounds.js";
import { bytesOf, takeSignal } from "./signals.js";
import { newState, type RunState, type RunTimes, type StepState, stepOf } from "./state.js";
import { stick, unstick } from "./stuck.js";
import { correctWait, foldTask } from "./task-fold.js";

/**
 * Folds a journal into the state of its run. `plan` may be missing (the definition is gone): the state is then good for
 * showing, not for deciding. Throws `IllegalEventError` for a journal that breaks the table in act.ts.
 */
export function fold(plan: RunPlan | null, times: RunTimes | number, rows: readonly JournalRow[]): RunState {
  const state = newState(plan, times);
  for (const row of rows) foldRow(plan, state, row);
  return state;
}

function foldRow(
  plan: RunPlan | null,
  state: RunState,
  row: Pick<JournalRow, "seq" | "fence" | "at" | "records">,
): void {
  if (row.seq !== state.seq + 1) throw new Error(`expected row ${state.seq + 1} of the journal, got ${row.seq}`);
  if (row.fence < state.fence)
    throw new Error(`expected a fence of at least ${state.fence} in row ${row.seq}, got ${row.fence}`);
  state.seq = row.seq;
  state.fence = row.fence;
  for (const record of row.records) foldRecord(plan, state, record, row.at);
}

/** What may happen to a run that nobody has begun. */
const BEFORE_START: ReadonlySet<JournalRecord["kind"]> = new Set([
  "claimed",
  "verb-refused",
  "signaled",
  "signal-refused",
]);

/** An operator who leads a run on gives it its whole time again. */
const TIMES_ANEW: ReadonlySet<JournalRecord["kind"]> = new Set(["resumed", "retry-requested", "step-skipped"]);

/** Changes `state` in place: each state has one owner, who folds a record before it asks what comes next. */
export function foldRecord(plan: RunPlan | null, state: RunState, record: JournalRecord, at: number): void {
  if (state.phase === "ended") throw new Error(`expected no record after the end of the run, got "${record.kind}"`);
  if (!BEFORE_START.has(record.kind)) state.started = true;
  switch (record.kind) {
    case "claimed":
      noteTakeover(state.crashes, record.crashed === true, state.running > 0);
      return interruptAll(state);
    case "isolated":
      state.crashes.isolated = record.alone ? "alone" : "among-others";
      return;
    case "dispatched": {
      const step = stepOf(state, record.step);
      // Which steps begin anew is known by their waves, and those by the definition: without it, by what they do.
      if (!state.isJudged && record.round > step.round) beginRound(state, step);
      const act = actOf(step, record.direction);
      move(state, act, "dispatch", record.step);
      if (record.direction === "forward") {
        step.child = null;
        openItem(state, step);
      }
      act.attempt = record.attempt;
      act.startedAt ??= at;
      act.dueAt = null;
      return;
    }
    case "completed":
      if (record.context !== undefined) state.context = applyDelta(state.context, record.context);
      return complete(plan, state, record.step, record.output, at);
    case "skipped": {
      const step = stepOf(state, record.step);
      move(state, step.forward, "skip", record.step);
      return pass(plan, state, step, null, at);
    }
    case "evaluated": {
      const { kind: _, step: name, ...values } = record;
      const step = stepOf(state, name);
      step.evaluated = values;
      openItem(state, step);
      return;
    }
    case "expanded":
      return expand(state, stepOf(state, record.step), record.items);
    case "gathered": {
      const outputs = stepOf(state, record.step).items?.steps.map((item) => item?.output ?? null);
      return complete(plan, state, record.step, outputs ?? [], at);
    }
    case "suspended":
      return suspend(state, record, at);
    case "heartbeat":
      if (record.details !== undefined) stepOf(state, record.step).heartbeat = record.details;
      return;
    case "saved":
    case "waits":
    case "waited":
    case "patched":
    case "progressed":
      return foldTask(state, record, at);
    case "signaled": {
      const { id, name, payload, arrivedAt } = record;
      state.signals.push({ id, name, payload, arrivedAt, bytes: bytesOf(payload) });
      return;
    }
    case "signal-refused":
      return;
    case "child-ended": {
      const { child, status, output = null, error = null } = record;
      state.childEnds ??= new Map();
      state.childEnds.set(child, { status, output, error });
      return;
    }
    case "joined":
      return join(plan, state, record, at);
    case "inherited":
      return inherit(plan, state, record, at);
    case "entered":
      state.correlation = record.run;
      state.context = record.context;
      Object.assign(state.outputs, record.outputs);
      return;
    case "abort-requested":
      state.abort = { cause: record.cause, error: record.error };
      return;
    case "received":
      return complete(plan, state, record.step, takeSignal(state, record.signal), at);
    case "failed":
      return failAct(state, record, at);
    case "compensated": {
      const { undo } = stepOf(state, record.step);
      move(state, undo, "done", record.step);
      undo.endedAt = at;
      undo.error = null;
      return;
    }
    case "compensation-skipped": {
      const { undo } = stepOf(state, record.step);
      move(state, undo, "skip", record.step);
      undo.endedAt = at;
      return release(state);
    }
    case "step-skipped": {
      const step = stepOf(state, record.step);
      move(state, step.forward, "skip", record.step);
      release(state);
      state.timedFrom = at;
      return pass(plan, state, step, null, at);
    }
    case "unwinding":
      return unwind(state, record, at);
    case "stuck":
      return stick(state, record);
    case "paused":
      state.paused = true;
      return;
    case "resumed":
      if (record.unit !== undefined) state.stuckUnits?.delete(record.unit);
      state.retried = false;
      return resume(state, at);
    case "cancel-requested":
    case "compensate-requested": {
      const verb = record.kind === "cancel-requested" ? "cancel" : "compensate";
      state.cancel = { verb, actor: record.actor, reason: record.reason };
      noteAbort(state, record.request);
      state.paused = false;
      state.crashes.counted = 0;
      return;
    }
    case "retry-requested":
      return retry(plan, state, record, at);
    case "forward-again":
      return begin(plan, state, at);
    case "verb-refused":
      return noteAbort(state, record.request);
    case "context-restored":
      state.context = record.context;
      return;
    case "checkpointed":
      state.checkpoints = record.n;
      return;
    case "finished":
      state.phase = "ended";
      state.stuck = null;
      state.end = { status: record.status, output: record.output ?? null, error: record.error ?? null };
      return;
  }
}

/**
 * The row of these records, folded last, turns out to have been written at `at`: what counts from the row's time counts
 * from there, as it will for whoever folds the journal later.
 */
export function correctDueTimes(state: RunState, records: readonly JournalRecord[], at: number): void {
  for (const record of records) {
    if (TIMES_ANEW.has(record.kind)) state.timedFrom = at;
    if (record.kind === "suspended") {
      const act = actOf(stepOf(state, record.step), record.direction ?? "forward");
      if (act.status === "suspended") act.dueAt = dueAtOf(record, at);
    }
    if (record.kind === "waits") correctWait(state, record, at);
    if (record.kind !== "failed" || record.retryAfterMs === undefined) continue;
    const act = actOf(stepOf(state, record.step), record.direction);
    if (act.status === "waiting") act.dueAt = at + record.retryAfterMs;
  }
}

function complete(plan: RunPlan | null, state: RunState, name: string, output: Json, at: number): void {
  const step = stepOf(state, name);
  move(state, step.forward, "done", name);
  pass(plan, state, step, output, at);
  state.completedSteps += 1;
}

/** Its output is known, and perhaps its wave is over with it. */
function pass(plan: RunPlan | null, state: RunState, step: StepState, output: Json, at: number): void {
  step.forward.endedAt = at;
  step.forward.error = null;
  step.forward.dueAt = null;
  step.output = output;
  if (step.item !== null) return closeItem(state, step);
  state.outputs[step.name] = output;
  skipPassedWaves(plan, state);
}

function suspend(state: RunState, record: JournalRecord & { kind: "suspended" }, at: number): void {
  const { step: name, direction = "forward", attempt, child, undoes = false } = record;
  const step = stepOf(state, name);
  const act = actOf(step, direction);
  move(state, act, "suspend", name);
  act.attempt = attempt;
  act.startedAt ??= at;
  act.dueAt = dueAtOf(record, at);
  if (step.task !== null) step.task.awaits = record.awaits ?? [];
  if (child === undefined) return;
  act.child = { run: child, undoes };
  // It is there, and may do anything until it has ended.
  act.mayHaveRun = true;
  if (direction === "forward") step.child = child;
}

/** What the child's end means for the step that waited for it, or for the compensation that did. */
function join(
  plan: RunPlan | null,
  state: RunState,
  { step: name, direction, child }: JournalRecord & { kind: "joined" },
  at: number,
): void {
  const end = state.childEnds?.get(child);
  if (end === undefined) throw new Error(`expected the run ${child} to have ended before step "${name}" joins it`);
  state.childEnds?.delete(child);
  const step = stepOf(state, name);
  const act = actOf(step, direction);
  const undoes = act.child?.undoes ?? false;
  act.child = null;
  const leftNothing = end.status === "compensated" || end.status === "cancelled";
  // Now it is known.
  act.mayHaveRun = false;
  if (direction === "forward" && end.status === "completed") return complete(plan, state, name, end.output, at);
  if (direction === "compensate" && (leftNothing || !undoes)) {
    // What else it did is to be undone now that this has ended.
    const isDone = leftNothing && childrenOf(step) === 1;
    move(state, act, isDone ? "done" : "retry", name);
    act.dueAt = isDone ? null : at;
    act.endedAt = isDone ? at : null;
    act.error = null;
    return;
  }
  move(state, act, "refuse", name);
  if (direction === "forward") {
    step.lostChildren += 1;
    if (end.status === "failed") step.leftovers = [...step.leftovers, child];
  }
  act.failures += 1;
  act.endedAt = at;
  act.error = errorOfEnd(plan, name, child, end);
}

function dueAtOf({ until, afterMs }: JournalRecord & { kind: "suspended" }, at: number): number | null {
  return until ?? (afterMs === undefined ? null : at + afterMs);
}

function failAct(state: RunState, record: JournalRecord & { kind: "failed" }, at: number): void {
  const step = stepOf(state, record.step);
  const act = actOf(step, record.direction);
  if (record.direction === "forward") openItem(state, step);
  const event = record.refused ? "refuse" : record.retryAfterMs === undefined ? "fail" : "retry";
  move(state, act, event, record.step);
  act.failures += 1;
  act.mayHaveRun ||= record.mayHaveRun;
  act.error = record.error;
  if (record.retryAfterMs === undefined) act.endedAt = at;
  else act.dueAt = at + record.retryAfterMs;
}

function interruptAll(state: RunState): void {
  if (state.running === 0) return;
  for (const { name, forward, undo } of state.steps.values()) {
    for (const act of [forward, undo]) {
      if (act.status !== "running") continue;
      move(state, act, "interrupt", name);
      act.mayHaveRun = true;
    }
  }
}

/** Also when it was refused: who is undoing itself already has been told, and has to tell when it is done. */
function noteAbort(state: RunState, request: string): void {
  if (state.correlation === null) return;
  if (request === abortRequest(state.correlation, true)) state.toldToUndo = "late";
  else if (request === abortRequest(state.correlation, false)) state.toldToUndo = "in-time";
}

function unwind(state: RunState, record: JournalRecord & { kind: "unwinding" }, at: number): void {
  const { cause, compensate, error, step = null } = record;
  state.phase = "unwinding";
  state.unwindTo = null;
  state.unwind = { cause, compensate, error, step };
  if (record.request === undefined) return unstick(state);
  release(state);
  resumeActs(state, at);
}

function actOf(step: StepState, direction: "forward" | "compensate"): Act {
  return direction === "forward" ? step.forward : step.undo;
}
