import type { RunPlan } from "./plan.js";
import type { JournalRecord } from "./records.js";
import { isPastPivot, type RunState, type StepState } from "./state.js";

/** An operator's wish as it lies in the run's inbox. */
export interface Verb {
  readonly name: string;
  readonly actor: string;
  readonly reason: string;
}

/** The records that carry out a verb, or the one that says why not. Pure; the caller folds them. */
export function applyVerb(plan: RunPlan, state: RunState, verb: Verb): JournalRecord[] {
  const { actor, reason } = verb;
  const refusal = forbids(verb.name, plan, state);
  if (refusal !== null) return [{ kind: "verb-refused", verb: verb.name, actor, reason: refusal }];
  switch (verb.name) {
    case "cancel":
      return [{ kind: "cancel-requested", actor, reason }];
    case "resume":
      return [{ kind: "resumed", actor, reason }];
    case "skip":
      return [...state.steps.values()]
        .filter(isSkippable)
        .map((step) => ({ kind: "compensation-skipped", step: step.name, actor, reason }));
    default: {
      const error = { code: "abandoned", message: `abandoned by ${actor}: ${reason}` };
      return [{ kind: "finished", status: "failed", error }];
    }
  }
}

/** Null when the state allows the verb, else a sentence on why it does not. */
export function forbids(verb: string, plan: RunPlan | null, state: RunState): string | null {
  if (state.phase === "ended") return `the run has ended: ${state.end?.status}`;
  switch (verb) {
    case "cancel":
      if (state.phase === "unwinding") return "the run is already being compensated";
      if (plan !== null && isPastPivot(plan, state)) return "the run is past its pivot and only goes forward";
      return null;
    case "resume":
    case "abandon":
      return state.stuck === null
        ? `expected a stuck run; only a stuck run can ${verb === "resume" ? "be resumed" : "be abandoned"}`
        : null;
    case "skip":
      if (state.stuck === null) return "expected a stuck run; only a stuck run's compensations can be skipped";
      return state.phase === "unwinding" && [...state.steps.values()].some(isSkippable)
        ? null
        : "there is no failed compensation to skip";
    default:
      return `expected cancel, resume, skip or abandon, got ${JSON.stringify(verb)}`;
  }
}

function isSkippable({ undo }: StepState): boolean {
  return undo.status === "failed" || undo.status === "refused";
}
