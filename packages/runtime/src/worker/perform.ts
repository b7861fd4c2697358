import { plannedOf } from "../engine/items.js";
import { stepOf } from "../engine/state.js";
import type { StepOutcome } from "../engine/step-outcome.js";
import { runCompensation, runHandler } from "../participants/local.js";
import type { Participant } from "../participants/participant.js";
import type { BatchStep, ChildStep, StepCall } from "../saga/definition.js";
import type { Attempt, Outcome } from "./attempt.js";
import type { AttemptAbort } from "./attempt-abort.js";
import { AttemptCall, AttemptUndoCall, actOf, copyOf } from "./attempt-call.js";
import { childOf } from "./child-runs.js";
import type { RunSurroundings } from "./run-surroundings.js";

/**
 * Performs one attempt and says what is known about it: at once when a handler answers at once, else when it is known.
 * Never throws or rejects; never outlasts the attempt's timeout.
 */
export function perform(
  surroundings: RunSurroundings,
  attempt: Attempt,
  /** Cuts the attempt short: its timeout, the run's, or the loss of the run. */
  abort: AttemptAbort,
): Outcome | Promise<Outcome> {
  try {
    const answer = invoke(surroundings, attempt, abort);
    return answer instanceof Promise ? bounded(answer, surroundings, attempt, abort) : answer;
  } catch (error) {
    return thrown(error);
  }
}

function bounded(
  answered: Promise<Outcome>,
  { plan, clock }: RunSurroundings,
  attempt: Attempt,
  abort: AttemptAbort,
): Promise<Outcome> {
  const timeoutMs = actOf(plan, attempt.step, attempt.direction)?.timeoutMs ?? 0;
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

function thrown(error: unknown): StepOutcome {
  return failed("internal", String(error).slice(0, 500));
}

function failed(code: string, message: string): StepOutcome {
  return { kind: "failed", error: { code, message }, mayHaveRun: true, retry: true };
}

function invoke(surroundings: RunSurroundings, attempt: Attempt, abort: AttemptAbort): Outcome | Promise<Outcome> {
  const { plan, participants } = surroundings;
  const planned = plannedOf(plan, attempt.step);
  if (planned === undefined) throw new Error(`expected step "${attempt.step}" in "${plan.definition.name}", got none`);
  if (planned.definition.kind === "child") return performChild(surroundings, attempt, planned.definition);
  if (planned.definition.kind === "batch") return performBatch(surroundings, attempt, planned.definition);
  if (attempt.direction === "forward") {
    const { definition } = planned;
    if (definition.kind !== "action" && definition.kind !== "map")
      throw new Error(`expected an action in step "${planned.name}"`);
    const { action } = definition;
    const call = new AttemptCall(surroundings, attempt, abort);
    if ("run" in action) return runHandler(action.run, call, outputOf);
    return participantOf(participants, action.service).perform(action, copyOf(call));
  }
  const undo = planned.compensation?.definition;
  if (!undo) throw new Error(`expected a compensation of step "${attempt.step}", got none`);
  const { action } = undo;
  const call = new AttemptUndoCall(surroundings, attempt, abort);
  if ("run" in action) return runCompensation(action.run, call);
  return participantOf(participants, action.service).compensate(action, copyOf(call));
}

function outputOf({ stage }: StepCall): string {
  return `the output of step "${stage}"`;
}

function performChild(
  { run, state, children }: RunSurroundings,
  attempt: Attempt,
  { saga }: ChildStep,
): Promise<Outcome> {
  const step = stepOf(state, attempt.step);
  const call = { parent: run, id: childOf(run, state, step), saga, input: step.evaluated?.input ?? run.input };
  if (attempt.direction === "forward") return children.start(call);
  const { status, mayHaveRun } = step.forward;
  const current = status === "done" ? "completed" : mayHaveRun ? "unknown" : "nothing";
  return children.undo(call, current, step.leftovers, state.unwind?.error.message ?? "");
}

function performBatch({ run, state, batches }: RunSurroundings, attempt: Attempt, step: BatchStep): Promise<Outcome> {
  if (attempt.direction === "compensate") return batches.close(run.id);
  const round = stepOf(state, attempt.step).lostChildren + 1;
  return batches.open({ run: run.id, step, round, retries: state.retried });
}

function participantOf(participants: Readonly<Record<string, Participant>>, service: string): Participant {
  const participant = Object.hasOwn(participants, service) ? participants[service] : undefined;
  if (participant === undefined) throw new Error(`expected a participant named ${JSON.stringify(service)}, got none`);
  return participant;
}
