import { itemOf, plannedOf } from "../engine/items.js";
import type { RunPlan } from "../engine/plan.js";
import type { Direction } from "../engine/records.js";
import { type RunState, type StepState, stepOf } from "../engine/state.js";
import type { StepOutcome, Suspension } from "../engine/step-outcome.js";
import type { Json } from "../json.js";
import { runCompensation, runHandler } from "../participants/local.js";
import type { Participant } from "../participants/participant.js";
import type { Clock } from "../ports.js";
import type { ChildStep, CompensationCall, ContextHandle, StepCall, TransactionRunner } from "../saga/definition.js";
import type { RunRow } from "../store/run-store.js";
import type { AttemptAbort } from "./attempt-abort.js";
import { type ChildRuns, childOf } from "./child-runs.js";

/** One attempt at one act, as the journal says it was dispatched. */
export interface Attempt {
  readonly step: string;
  readonly direction: Direction;
  readonly attempt: number;
  readonly round: number;
}

export type Outcome = StepOutcome | Suspension;

export interface PerformOptions {
  readonly plan: RunPlan;
  readonly state: RunState;
  readonly run: RunRow;
  readonly attempt: Attempt;
  readonly participants: Readonly<Record<string, Participant>>;
  readonly children: ChildRuns;
  readonly context: ContextHandle;
  readonly clock: Clock;
  /** Cuts the attempt short: its timeout, the run's, or the loss of the run. */
  readonly abort: AttemptAbort;
  readonly transaction: TransactionRunner;
}

/**
 * Performs one attempt and says what is known about it: at once when a handler answers at once, else when it is known.
 * Never throws or rejects; never outlasts the attempt's timeout.
 */
export function perform(options: PerformOptions): Outcome | Promise<Outcome> {
  const { plan, attempt, clock, abort } = options;
  const thrown = (error: unknown): StepOutcome => failed("internal", String(error).slice(0, 500));
  let answer: Outcome | Promise<Outcome>;
  try {
    answer = invoke(options);
  } catch (error) {
    return thrown(error);
  }
  if (!(answer instanceof Promise)) return answer;
  const answered = answer;
  const planned = plannedOf(plan, attempt.step);
  const act = attempt.direction === "forward" ? planned : planned?.compensation;
  const timeoutMs = act?.timeoutMs ?? 0;
  return new Promise((resolve) => {
    const cancelTimer = clock.after(timeoutMs, () => abort.abort(`no answer within ${timeoutMs} ms`));
    const settle = (outcome: Outcome): void => {
      cancelTimer();
      resolve(outcome);
    };
    abort.onSettled = cancelTimer;
    // Bounds what ignores its signal: whichever comes first settles it.
    abort.onAbort = (reason) => settle(failed("timeout", `step "${attempt.step}" was cut short: ${reason}`));
    answered.then(settle, (error: unknown) => settle(thrown(error)));
  });
}

function failed(code: string, message: string): StepOutcome {
  return { kind: "failed", error: { code, message }, mayHaveRun: true, retry: true };
}

function invoke(options: PerformOptions): Outcome | Promise<Outcome> {
  const { plan, attempt, participants } = options;
  const planned = plannedOf(plan, attempt.step);
  if (planned === undefined) throw new Error(`expected step "${attempt.step}" in "${plan.definition.name}", got none`);
  if (planned.definition.kind === "child") return performChild(options, planned.definition);
  if (attempt.direction === "forward") {
    const { definition } = planned;
    if (definition.kind !== "action" && definition.kind !== "map")
      throw new Error(`expected an action in step "${planned.name}"`);
    const { action } = definition;
    const call = stepCall(options);
    if ("run" in action) return runHandler(() => action.run(call), `the output of step "${attempt.step}"`);
    return participantOf(participants, action.service).perform(action, call);
  }
  const undo = planned.compensation?.definition;
  if (!undo) throw new Error(`expected a compensation of step "${attempt.step}", got none`);
  const { action } = undo;
  const call = compensationCall(options);
  if ("run" in action) return runCompensation(() => action.run(call));
  return participantOf(participants, action.service).compensate(action, call);
}

function performChild(options: PerformOptions, { saga }: ChildStep): Promise<Outcome> {
  const { run, state, attempt, children } = options;
  const step = stepOf(state, attempt.step);
  const call = { parent: run, id: childOf(run, state, step), saga, input: inputOf(step, run.input).input };
  if (attempt.direction === "forward") return children.start(call);
  const { status, mayHaveRun } = step.forward;
  const current = status === "done" ? "completed" : mayHaveRun ? "unknown" : "nothing";
  return children.undo(call, current, step.leftovers, state.unwind?.error.message ?? "");
}

function participantOf(participants: Readonly<Record<string, Participant>>, service: string): Participant {
  const participant = Object.hasOwn(participants, service) ? participants[service] : undefined;
  if (participant === undefined) throw new Error(`expected a participant named ${JSON.stringify(service)}, got none`);
  return participant;
}

function stepCall(options: PerformOptions): StepCall {
  const { run, plan, state, attempt, context, abort, transaction } = options;
  const step = stepOf(state, attempt.step);
  return {
    runId: run.id,
    stage: attempt.step,
    ...inputOf(step, run.input),
    ...itemOf(state, step),
    outputs: visibleOutputs(plan, state, attempt.step),
    context,
    transaction,
    idempotencyKey: stepKey(run.id, attempt),
    attempt: attempt.attempt,
    fence: state.fence,
    get signal() {
      return abort.signal;
    },
  };
}

/** The first round's key has no round in it. */
function stepKey(run: string, { step, round }: Attempt): string {
  return round === 1 ? `${run}:${step}` : `${run}:${step}:r${round}`;
}

function compensationCall(options: PerformOptions): CompensationCall {
  const { run, plan, state, attempt, context, abort, transaction } = options;
  const step = stepOf(state, attempt.step);
  const completed = step.forward.status === "done";
  // Participants know the run that did it, not the one that undoes it.
  const runId = state.origin?.run ?? run.id;
  const forwardKey = stepKey(runId, attempt);
  return {
    runId,
    stage: attempt.step,
    ...inputOf(step, run.input),
    ...itemOf(state, step),
    outputs: visibleOutputs(plan, state, attempt.step),
    context,
    transaction,
    idempotencyKey: `${forwardKey}:compensate`,
    forwardKey,
    outcome: completed ? "completed" : "unknown",
    output: completed ? step.output : null,
    reason: state.unwind?.error.message ?? "",
    attempt: attempt.attempt,
    fence: state.fence + (state.origin?.fence ?? 0),
    get signal() {
      return abort.signal;
    },
  };
}

/** What the step's expression made of it when it was evaluated, the same in every attempt. */
function inputOf({ evaluated }: StepState, runInput: Json): Pick<StepCall, "input" | "isMapped" | "runInput"> {
  const mapped = evaluated?.input;
  return mapped === undefined
    ? { input: runInput, isMapped: false, runInput }
    : { input: mapped, isMapped: true, runInput };
}

/** Of earlier waves only, so that an attempt sees the same however far its siblings have come. */
export function visibleOutputs(plan: RunPlan, state: RunState, name: string): Readonly<Record<string, Json>> {
  const siblings = plan.waves[plannedOf(plan, name)?.wave ?? 0] ?? [];
  // Alone in its wave: nothing is added while it runs, and a copy would make the n-th step cost n.
  if (siblings.length === 1) return state.outputs;
  const hidden = new Set(siblings.map((step) => step.name));
  return Object.fromEntries(Object.entries(state.outputs).filter(([step]) => !hidden.has(step)));
}
