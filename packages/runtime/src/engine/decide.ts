import type { Act } from "./act.js";
import { poisonOf } from "./crashes.js";
import { foldRecord } from "./fold.js";
import { openItems, partsOf } from "./items.js";
import { canonicalOutput } from "./output.js";
import type { PlannedStep, RunPlan } from "./plan.js";
import type { Failure, JournalRecord, RollbackStatus, RunStatus } from "./records.js";
import { isDue, isPastPivot, type RunState, type StepState, stepOf } from "./state.js";
import { kindOf } from "./steps/index.js";
import { lostAttempt } from "./steps/lost-attempt.js";
import { nextTimeout } from "./task-state.js";
import { decideUnwind } from "./unwind.js";

/**
 * What comes next for a run: a pure function of its definition, its state and the time by the store's clock. The records
 * are already folded into `state` when this returns; the caller makes them durable, in one append, before it performs
 * what they say was dispatched. Asked again with nothing new, it answers with no records.
 */
export interface Decision {
  readonly records: readonly JournalRecord[];
  /** Steps whose attempts under way should be cut short: the run's time is up, or a function's run is to stop. */
  readonly abort: readonly string[];
  /** Steps that are due and whose expressions have to be evaluated first; what they give is folded, then ask again. */
  readonly evaluate: readonly string[];
  /** When to ask again if nothing else happens, by the store's clock; null: only when something happens. */
  readonly wakeAt: number | null;
  /** Some act is suspended: a message will bring the run on, if its time does not. */
  readonly awaitsMessage: boolean;
}

export function decide(plan: RunPlan, state: RunState, now: number): Decision {
  let records: readonly JournalRecord[] = [];
  // Each turn moves an act or the run's phase forward, so there cannot be more turns than acts and phases.
  for (let turn = 0; turn <= 4 * plan.steps.size + 8; turn++) {
    const next = decideOnce(plan, state, now);
    if (next.length === 0) return atRest(plan, state, now, records);
    for (const record of next) foldRecord(plan, state, record, now);
    records = records.length === 0 ? next : [...records, ...next];
  }
  throw new Error(`expected the decisions for a run of "${plan.definition.name}" to come to rest, they did not`);
}

function decideOnce(plan: RunPlan, state: RunState, now: number): readonly JournalRecord[] {
  if (state.phase === "ended" || state.paused) return NO_RECORDS;
  const poison = poisonOf(state.crashes, plan.maxCrashes);
  if (poison !== null && state.stuck === null) return stickWhenQuiet(state, { kind: "stuck", error: poison });
  if (plan.isObserved) return decideObserved(plan, state, now);
  if (state.phase === "forward") return decideForward(plan, state, now);
  if (state.cancel !== null && state.unwindTo !== null) return unwindAtWish(state.cancel);
  return state.stuck === null ? decideUnwind(plan, state, now) : [];
}

function decideForward(plan: RunPlan, state: RunState, now: number): readonly JournalRecord[] {
  if (isStartedLate(plan, state, now)) return [finishStartedLate(plan)];
  if (state.wave === plan.waves.length && state.stuck === null) return [finishCompleted(plan, state)];
  const pastPivot = isPastPivot(plan, state);
  if (state.cancel !== null && !pastPivot) return unwindAtWish(state.cancel);
  if (state.stuck !== null) return [];

  const wave = plan.waves[state.wave] ?? NO_STEPS;
  for (const { name } of wave) {
    const step = stepOf(state, name);
    const { status } = step.forward;
    if (status === "refused" || status === "failed") return stopForward(plan, state, step, pastPivot);
  }
  if (now >= state.timedFrom + plan.timeoutMs) return stopAtTimeout(plan, state, pastPivot);
  const begun = beginDue(plan, wave, state, now);
  return begun.length > 0 ? begun : proceed(plan, wave, state, now);
}

/**
 * A choreographed run: its units go forward and back by each other's events, and what they tell is in `state` already. Nothing is begun
 * here. Whoever wants it undone asks them; it goes back once they say that they do.
 */
function decideObserved(plan: RunPlan, state: RunState, now: number): readonly JournalRecord[] {
  const { unwind, abort, cancel } = state;
  if (unwind !== null) {
    return unwind.compensate ? NO_RECORDS : [{ kind: "finished", status: "failed", error: unwind.error }];
  }
  if (state.stuck !== null) return NO_RECORDS;
  for (const step of state.steps.values()) {
    const { status } = step.forward;
    if (status === "refused" || status === "failed") return stopForward(plan, state, step, false);
  }
  // Without a pivot the last unit goes back too when it is asked to: then the end is theirs to tell.
  const isDone = state.wave === plan.waves.length && (abort === null || plan.pivotAfterWave !== null);
  if (isDone) return [finishCompleted(plan, state)];
  if (abort !== null || isPastPivot(plan, state)) return NO_RECORDS;
  const [asked] = cancel === null ? timeIsUp(plan, state, now) : unwindAtWish(cancel);
  if (asked === undefined) return NO_RECORDS;
  return asked.kind === "unwinding" ? [{ kind: "abort-requested", cause: asked.cause, error: asked.error }] : [asked];
}

function timeIsUp(plan: RunPlan, state: RunState, now: number): readonly JournalRecord[] {
  return now >= state.timedFrom + plan.timeoutMs ? stopAtTimeout(plan, state, false) : NO_RECORDS;
}

/** With recovery off, attempts that a crash interrupted have failed, and nothing begins beside them. */
function beginDue(plan: RunPlan, wave: Wave, state: RunState, now: number): JournalRecord[] {
  let begun = NO_RECORDS;
  let lost = NO_RECORDS;
  for (const planned of wave) {
    const step = stepOf(state, planned.name);
    if (!isDue(step.forward, now) || !isEvaluated(planned, step)) continue;
    if (plan.strategy === "none" && step.forward.status === "interrupted") lost = [...lost, lostAttempt(step)];
    else if (begun.length > 0) begun.push(kindOf(planned).begin(planned, step));
    else begun = [kindOf(planned).begin(planned, step)];
  }
  return lost.length > 0 ? lost : begun;
}

/** One step at a time: two of them may want the same signal. */
function proceed(plan: RunPlan, wave: Wave, state: RunState, now: number): readonly JournalRecord[] {
  for (const planned of wave) {
    const step = stepOf(state, planned.name);
    const kind = kindOf(planned);
    const { status } = step.forward;
    if (status !== "suspended" && !(kind.attends === true && status === "running")) continue;
    const records = kind.proceed({ plan, planned, step, state, now });
    if (records.length > 0) return records;
  }
  return NO_RECORDS;
}

type Wave = readonly PlannedStep[];

/** Never changed. A run is asked for what comes next with each of its steps, and nearly always for one: no list is made for none. */
const NO_STEPS: Wave = [];
const NO_RECORDS: JournalRecord[] = [];
const NOTHING: readonly string[] = [];

function toEvaluate(plan: RunPlan, state: RunState, now: number): readonly string[] {
  if (state.phase !== "forward" || state.stuck !== null || state.paused) return NOTHING;
  let due = NOTHING;
  for (const planned of plan.waves[state.wave] ?? NO_STEPS) {
    if (!planned.hasExpressions) continue;
    const step = stepOf(state, planned.name);
    if (step.forward.status === "suspended") {
      const parts = kindOf(planned).unevaluated?.({ plan, planned, step, state, now }) ?? NOTHING;
      if (parts.length > 0) due = [...due, ...parts];
    } else if (!isEvaluated(planned, step) && isDue(step.forward, now)) due = [...due, planned.name];
  }
  return due;
}

function isEvaluated(planned: PlannedStep, step: StepState): boolean {
  return !planned.hasExpressions || step.evaluated !== null;
}

function unwindAtWish({ verb, actor, reason }: NonNullable<RunState["cancel"]>): JournalRecord[] {
  const code = verb === "cancel" ? "cancelled" : "compensated";
  const error = { code, message: `${code} by ${actor}: ${reason}` };
  return [{ kind: "unwinding", cause: verb, compensate: true, error }];
}

function isStartedLate({ startTimeoutMs }: RunPlan, state: RunState, now: number): boolean {
  return startTimeoutMs !== null && !state.started && now > state.dueFrom + startTimeoutMs;
}

/** Nothing has run, so there is nothing to undo. */
function finishStartedLate({ startTimeoutMs }: RunPlan): JournalRecord {
  const message = `expected an instance to begin the run within ${startTimeoutMs} ms of its creation, none did`;
  return { kind: "finished", status: "failed", error: { code: "start-timeout", message } };
}

/** The output is made by the user's code. What it throws is the run's trouble, not the worker's. */
function finishCompleted(plan: RunPlan, state: RunState): JournalRecord {
  try {
    return { kind: "finished", status: "completed", output: canonicalOutput(plan, state) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: "stuck", error: { code: "output-unknown", message: message.slice(0, 500) } };
  }
}

/** A function that is not what its journal tells would be run wrong: somebody has to look, whatever the strategy. */
const DIVERGED = "task-diverged";

/** A step was refused, or failed for good. */
function stopForward(plan: RunPlan, state: RunState, step: StepState, pastPivot: boolean): JournalRecord[] {
  const error = step.forward.error ?? { code: "failed", message: `step "${step.name}" failed` };
  const refused = step.forward.status === "refused";
  if (pastPivot || plan.strategy === "manual" || error.code === DIVERGED)
    return stickWhenQuiet(state, { kind: "stuck", step: step.name, error });
  const cause = refused ? "step-refused" : "step-failed";
  return [{ kind: "unwinding", cause, compensate: plan.compensates, step: step.name, error }];
}

function stopAtTimeout(plan: RunPlan, state: RunState, pastPivot: boolean): JournalRecord[] {
  const error: Failure = {
    code: "run-timeout",
    message: `expected the run to end within ${plan.timeoutMs} ms of its start, it did not`,
  };
  if (pastPivot || plan.strategy === "manual") return stickWhenQuiet(state, { kind: "stuck", error });
  return [{ kind: "unwinding", cause: "run-timeout", compensate: plan.compensates, error }];
}

/** A run is handed to an operator only when nothing of it is under way any more. */
function stickWhenQuiet(state: RunState, record: JournalRecord): JournalRecord[] {
  return state.running > 0 ? [] : [record];
}

/** It may take for ever, and is told that it need not end. */
const isFunction = (plan: RunPlan, step: string): boolean => plan.steps.get(step)?.definition.kind === "function";

function aborts(plan: RunPlan, state: RunState): readonly string[] {
  if (state.running === 0 || (state.unwind === null && state.toldToUndo !== "late")) return NOTHING;
  const late = state.unwind?.cause === "run-timeout" || state.toldToUndo === "late";
  return [...state.steps.values()]
    .filter(({ name, forward }) => forward.status === "running" && (late || isFunction(plan, name)))
    .map(({ name }) => name);
}

/**
 * Nothing more can be decided now; when to ask again is the earliest retry or timer, or the run's deadline while it goes
 * forward. What is past and was not acted upon waits for something else, such as a sibling's outcome: asking again for it would
 * be a loop without a pause.
 */
function atRest(plan: RunPlan, state: RunState, now: number, records: readonly JournalRecord[]): Decision {
  const abort = aborts(plan, state);
  const evaluate = toEvaluate(plan, state, now);
  if (state.phase === "ended" || state.stuck !== null || state.paused)
    return { records, abort, evaluate, wakeAt: null, awaitsMessage: false };
  const deadline = state.timedFrom + plan.timeoutMs;
  let earliest = state.phase === "forward" && deadline > now ? deadline : Number.POSITIVE_INFINITY;
  let awaitsMessage = false;
  for (const planned of wavesInQuestion(plan, state)) {
    const step = stepOf(state, planned.name);
    const act = state.phase === "forward" ? step.forward : step.undo;
    if (act.status === "suspended") awaitsMessage = true;
    earliest = Math.min(earliest, timerOf(act, now));
    if (step.task !== null && state.phase === "forward") earliest = Math.min(earliest, nextTimeout(step.task, now));
    if (step.items === null) continue;
    for (const item of state.phase === "forward" ? openItems(step.items) : partsOf(step))
      earliest = Math.min(earliest, timerOf(state.phase === "forward" ? item.forward : item.undo, now));
  }
  return { records, abort, evaluate, wakeAt: Number.isFinite(earliest) ? earliest : null, awaitsMessage };
}

/** Infinite: it has none that is still to come. */
function timerOf({ status, dueAt }: Act, now: number): number {
  const waits = status === "waiting" || status === "suspended";
  return waits && dueAt !== null && dueAt > now ? dueAt : Number.POSITIVE_INFINITY;
}

function wavesInQuestion(plan: RunPlan, state: RunState): readonly PlannedStep[] {
  return state.phase === "forward" ? (plan.waves[state.wave] ?? NO_STEPS) : plan.waves.flat();
}

/** The status that the run's row shows. `parked`: nobody owns it until it is due. */
export function statusOf(state: RunState, parked: boolean): RunStatus {
  if (state.end !== null) return state.end.status;
  if (state.stuck !== null) return "stuck";
  if (state.paused) return "paused";
  if (state.phase === "unwinding") return "compensating";
  return parked ? "waiting" : "running";
}

export function rollbackStatusOf(state: RunState): RollbackStatus {
  if (state.unwind === null || !state.unwind.compensate) return "none";
  const compensations = [...state.steps.values()].map((step) => step.undo.status);
  if (compensations.includes("skipped") || compensations.includes("failed") || compensations.includes("refused"))
    return "incomplete";
  return state.end === null ? "running" : state.end.status === "failed" ? "incomplete" : "done";
}
