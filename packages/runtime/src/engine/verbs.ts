import type { PlannedStep, RunPlan } from "./plan.js";
import type { JournalRecord } from "./records.js";
import { isUndone, lowestUndoing } from "./rounds.js";
import { isPastPivot, needsUndo, type RunState, type StepState } from "./state.js";
import { kindOf } from "./steps/index.js";

export const VERBS = ["cancel", "pause", "resume", "retry", "compensate", "skip", "abandon"] as const;
export type VerbName = (typeof VERBS)[number];

/** An operator's wish as it lies in the run's inbox. */
export interface Verb {
  readonly name: string;
  readonly actor: string;
  readonly reason: string;
  /** Of the request. */
  readonly request: string;
  /** Where a retry begins. */
  readonly step?: string;
}

/** The records that carry out a verb, or the one that says why not. Pure; the caller folds them. */
export function applyVerb(plan: RunPlan, state: RunState, verb: Verb): JournalRecord[] {
  const { name, actor, reason, request, step } = verb;
  const refusal = forbids(verb, plan, state);
  if (refusal !== null || !isVerb(name))
    return [{ kind: "verb-refused", verb: name, actor, reason: refusal ?? "", request }];
  const asked = { actor, reason, request };
  switch (name) {
    case "cancel":
      return [{ kind: "cancel-requested", ...asked }];
    case "compensate":
      return [{ kind: "compensate-requested", ...asked }];
    case "pause":
      return [{ kind: "paused", ...asked }];
    case "resume":
      return [{ kind: "resumed", ...asked }];
    case "retry": {
      const planned = step === undefined ? undefined : plan.steps.get(step);
      return [{ kind: "retry-requested", ...(planned && { step: planned.name, wave: planned.wave }), ...asked }];
    }
    case "skip":
      return skippable(plan, state).map((each) => ({ ...each, ...asked }));
    case "abandon": {
      const error = { code: "abandoned", message: `abandoned by ${actor}: ${reason}` };
      if (endsOthersFirst(plan, state))
        return [{ kind: "unwinding", cause: "abandon", compensate: false, error, ...asked }];
      return [{ kind: "finished", status: "failed", error, ...asked }];
    }
  }
}

/** Unless that was tried for an earlier one, and could not be done. */
function endsOthersFirst({ steps }: RunPlan, state: RunState): boolean {
  if (state.unwind?.cause === "abandon" && state.stuck !== null) return false;
  return [...steps.values()].some((planned) => {
    const step = state.steps.get(planned.name);
    return kindOf(planned).endsBeforeRun && step !== undefined && needsUndo(step) && !isUndone(step);
  });
}

export function isVerb(name: string): name is VerbName {
  return VERBS.some((verb) => verb === name);
}

/** Null when the state allows the verb, else a sentence on why it does not. */
export function forbids(
  { name, step }: Pick<Verb, "name" | "step">,
  plan: RunPlan | null,
  state: RunState,
): string | null {
  if (!isVerb(name)) return `expected ${VERBS.join(", ")}, got ${JSON.stringify(name)}`;
  if (state.phase === "ended") return `the run has ended: ${state.end?.status}`;
  if (plan?.isObserved && name !== "cancel" && name !== "compensate" && name !== "abandon")
    return "the run is choreographed: its stages lead themselves; act on the run of the stage";
  const parked = state.stuck !== null || state.paused;
  switch (name) {
    case "cancel":
    case "compensate":
      if (state.phase === "unwinding" && state.unwindTo === null) return "the run is already being compensated";
      if (plan !== null && isPastPivot(plan, state)) return "the run is past its pivot and only goes forward";
      return null;
    case "pause":
      if (state.stuck !== null) return "the run is stuck, so nothing of it goes on";
      return state.paused ? "the run is paused already" : null;
    case "resume":
      return parked ? null : "expected a stuck or paused run; only such a run can be resumed";
    case "retry":
      if (!parked) return "expected a stuck or paused run; only such a run can be retried";
      return plan === null ? null : forbidsRetry(plan, state, step);
    case "skip":
      if (state.stuck === null) return "expected a stuck run; only what a run is stuck at can be skipped";
      if (plan === null || skippable(plan, state).length > 0) return null;
      return state.phase === "unwinding"
        ? "there is no failed compensation to skip"
        : "there is no failed step past the pivot to skip";
    case "abandon":
      if (!parked) return "expected a stuck or paused run; only such a run can be abandoned";
      return state.running === 0 ? null : "attempts of the run are under way; abandon it once they have ended";
  }
}

function forbidsRetry(plan: RunPlan, state: RunState, name: string | undefined): string | null {
  if (state.origin !== null) return `the run undoes run ${state.origin.run} and only goes back`;
  if (name === undefined) return state.phase === "unwinding" ? forbidsForward(plan, state) : null;
  const planned = plan.steps.get(name);
  if (planned === undefined) return `expected a step of the run, got ${JSON.stringify(name)}`;
  if (planned.definition.kind === "batch")
    return "a batch goes on where it is, and nothing of it is undone; name no step";
  if (isPastPivot(plan, state)) return "the run is past its pivot, so nothing is undone; name no step";
  if (planned.wave > state.wave) return `the run has not come to step "${name}" yet`;
  const lowest = lowestUndoing(plan, state);
  if (planned.wave <= lowest) return null;
  const begun = plan.waves[lowest]?.map((each) => each.name).join(", ");
  return `what comes before step "${name}" is being undone already; name one of ${begun}, or one before`;
}

/** Whether all that was done stands or is undone, so that the run can go forward from where it is. */
function forbidsForward(plan: RunPlan, state: RunState): string | null {
  if (state.running > 0) return "attempts of the run are under way; retry it once they have ended";
  const open = [...state.steps.values()].filter((step) => !isUndone(step));
  const stopped = open.find((step) => isStoppedChild(plan, step));
  if (stopped !== undefined)
    return `the run that "${stopped.name}" started was told to stop; resume or skip it, or name a step to retry from`;
  const unknown = open.find((step) => step.undo.mayHaveRun);
  if (unknown === undefined) return null;
  return `the compensation of "${unknown.name}" may have had its effect; resume or skip it, or name a step to retry from`;
}

/** Its child was canceled when the unwinding began, or is undone in part. */
function isStoppedChild(plan: RunPlan, step: StepState): boolean {
  const kind = plan.steps.get(step.name)?.definition.kind;
  if (kind !== "child" && kind !== "batch") return false;
  return step.forward.mayHaveRun || (needsUndo(step) && step.undo.status !== "idle");
}

/** What a stuck run is stuck at: compensations, or past the pivot steps, that were begun and did not succeed. */
function skippable(plan: RunPlan, state: RunState) {
  if (state.phase === "unwinding")
    return [...state.steps.values()]
      .filter(({ undo }) => isUnsuccessful(undo) && undo.child === null)
      .map(({ name }) => ({ kind: "compensation-skipped", step: name }) as const);
  if (!isPastPivot(plan, state)) return [];
  return (plan.waves[state.wave] ?? [])
    .filter((planned) => isUnsuccessful(state.steps.get(planned.name)?.forward) && !mayGoOn(planned, state))
    .map(({ name }) => ({ kind: "step-skipped", step: name }) as const);
}

/** Another run goes on for it, or may: that one has its own operators. */
function mayGoOn({ name, definition }: PlannedStep, state: RunState): boolean {
  return definition.kind === "child" && state.steps.get(name)?.forward.mayHaveRun === true;
}

function isUnsuccessful(act: StepState["forward"] | undefined): boolean {
  return act !== undefined && ["failed", "refused", "waiting", "suspended", "interrupted"].includes(act.status);
}
