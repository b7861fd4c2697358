import type { Json } from "../json.js";
import { type Act, type ActEvent, transition } from "./act.js";
import { applyDelta } from "./context.js";
import type { ItemPlace } from "./item-path.js";
import type { RunPlan } from "./plan.js";
import type { JournalRecord, JournalRow } from "./records.js";
import { bytesOf } from "./signals.js";
import { isPassed, newState, type RunState, type StepState, stepOf } from "./state.js";

/**
 * Folds a journal into the state of its run. `plan` may be missing (the definition is gone): the state is then good for
 * showing, not for deciding. Throws `IllegalEventError` for a journal that breaks the table in act.ts.
 */
export function fold(plan: RunPlan | null, createdAt: number, rows: readonly JournalRow[]): RunState {
  const state = newState(plan, createdAt);
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

/** Changes `state` in place: each state has one owner, who folds a record before it asks what comes next. */
export function foldRecord(plan: RunPlan | null, state: RunState, record: JournalRecord, at: number): void {
  if (state.phase === "ended") throw new Error(`expected no record after the end of the run, got "${record.kind}"`);
  switch (record.kind) {
    case "claimed":
      return interruptAll(state);
    case "dispatched": {
      const step = stepOf(state, record.step);
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
      return expand(stepOf(state, record.step), record.items);
    case "gathered": {
      const outputs = stepOf(state, record.step).items?.steps.map((item) => item?.output ?? null);
      return complete(plan, state, record.step, outputs ?? [], at);
    }
    case "suspended":
      return suspend(state, record, at);
    case "signaled": {
      const { id, name, payload, arrivedAt } = record;
      state.signals.push({ id, name, payload, arrivedAt, bytes: bytesOf(payload) });
      return;
    }
    case "signal-refused":
      return;
    case "child-ended": {
      const { child, status, output = null, error = null } = record;
      state.childEnds.set(child, { status, output, error });
      return;
    }
    case "joined":
      return join(plan, state, record, at);
    case "inherited":
      return inherit(plan, state, record, at);
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
      state.stuck = null;
      return;
    }
    case "unwinding":
      state.phase = "unwinding";
      state.stuck = null;
      state.unwind = {
        cause: record.cause,
        compensate: record.compensate,
        error: record.error,
        step: record.step ?? null,
      };
      return;
    case "stuck":
      state.stuck = { step: record.step ?? null, error: record.error };
      return;
    case "resumed":
      return resume(state, at);
    case "cancel-requested":
      state.cancel = { actor: record.actor, reason: record.reason };
      return;
    case "verb-refused":
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
    if (record.kind === "resumed") state.timedFrom = at;
    if (record.kind === "suspended") {
      const act = actOf(stepOf(state, record.step), record.direction ?? "forward");
      if (act.status === "suspended") act.dueAt = dueAtOf(record, at);
    }
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
  if (step.item !== null) return closeItem(state, step.item, output);
  state.outputs[step.name] = output;
  if (plan === null) return;
  while (state.wave < plan.waves.length && plan.waves[state.wave]?.every((s) => isPassed(stepOf(state, s.name)))) {
    state.wave += 1;
  }
}

function takeSignal(state: RunState, id: string): Json {
  const index = state.signals.findIndex((signal) => signal.id === id);
  const [signal] = index < 0 ? [] : state.signals.splice(index, 1);
  if (signal === undefined) throw new Error(`expected a signal ${JSON.stringify(id)} that no step has taken, got none`);
  return signal.payload;
}

function suspend(state: RunState, record: JournalRecord & { kind: "suspended" }, at: number): void {
  const { step: name, direction = "forward", attempt, child, undoes = false } = record;
  const step = stepOf(state, name);
  const act = actOf(step, direction);
  move(state, act, "suspend", name);
  act.attempt = attempt;
  act.startedAt ??= at;
  act.dueAt = dueAtOf(record, at);
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
  const end = state.childEnds.get(child);
  if (end === undefined) throw new Error(`expected the run ${child} to have ended before step "${name}" joins it`);
  state.childEnds.delete(child);
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
  const cause = end.error === null ? "" : `: ${end.error.message}`;
  act.error = { code: `child-${end.status}`, message: `run ${child} ended ${end.status}${cause}` };
}

/** Runs that the step started and that leave something, or may. */
function childrenOf({ forward, leftovers }: StepState): number {
  return leftovers.length + (forward.status === "done" || forward.mayHaveRun ? 1 : 0);
}

/** As if this run had done what the other one did, and were to undo it. */
function inherit(
  plan: RunPlan | null,
  state: RunState,
  record: JournalRecord & { kind: "inherited" },
  at: number,
): void {
  state.origin = { run: record.run, fence: record.fence };
  state.context = record.context;
  for (const { step: name, outcome, output = null, input, child = null, leftovers = [], items } of record.steps) {
    const step = stepOf(state, name);
    if (items !== undefined) expand(step, items);
    step.child = child;
    step.leftovers = leftovers;
    const done = outcome === "completed";
    const mayHaveRun = outcome === "unknown";
    Object.assign(step.forward, { status: done ? "done" : "failed", attempt: 1, mayHaveRun, endedAt: at });
    if (input !== undefined) step.evaluated = { input };
    if (!done) continue;
    step.output = output;
    if (step.item === null) state.outputs[name] = output;
  }
  state.wave = plan?.waves.length ?? 0;
  state.phase = "unwinding";
  state.unwind = { cause: "undo", compensate: true, error: record.error, step: null };
}

function dueAtOf({ until, afterMs }: JournalRecord & { kind: "suspended" }, at: number): number | null {
  return until ?? (afterMs === undefined ? null : at + afterMs);
}

function expand(step: StepState, list: readonly Json[]): void {
  step.evaluated = {};
  step.items = { list, steps: [], next: 0, open: new Set(), outputBytes: 0 };
}

/** An item has begun; nothing, for other steps. */
function openItem(state: RunState, { item }: StepState): void {
  const map = item === null ? null : state.steps.get(item.step)?.items;
  if (item === null || !map) return;
  map.open.add(item.index);
  map.next = Math.max(map.next, item.index + 1);
}

/** It has completed. */
function closeItem(state: RunState, { step, index }: ItemPlace, output: Json): void {
  const map = state.steps.get(step)?.items;
  if (!map) return;
  map.open.delete(index);
  map.outputBytes += bytesOf(output) + 1;
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

/** Acts that ended badly get a fresh budget of attempts, at once, and the run a fresh timeout. */
function resume(state: RunState, at: number): void {
  state.stuck = null;
  state.timedFrom = at;
  for (const { name, forward, undo } of state.steps.values()) {
    const act = state.phase === "unwinding" ? undo : forward;
    if (act.status !== "failed" && act.status !== "refused") continue;
    move(state, act, "resume", name);
    act.failures = 0;
    act.dueAt = at;
    act.endedAt = null;
  }
}

function actOf(step: StepState, direction: "forward" | "compensate"): Act {
  return direction === "forward" ? step.forward : step.undo;
}

function move(state: RunState, act: Act, event: ActEvent, step: string): void {
  const before = act.status === "running" ? 1 : 0;
  transition(act, event, `step "${step}"`);
  state.running += (act.status === "running" ? 1 : 0) - before;
}
