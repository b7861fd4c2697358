import { isObject, type Json } from "../json.js";
import type { RunPlan } from "./plan.js";
import type { JournalRecord } from "./records.js";
import type { RunState } from "./state.js";

/** The name of the wish among those of operators, in a run's inbox. It is none of the verbs: it leads a run nowhere. */
export const RESTORE = "restore-checkpoint";

export interface RestoreRequest {
  readonly actor: string;
  readonly request: string;
  /** As `RestorePayload`. */
  readonly payload: Json;
}

/** What the wish brings: the checkpoint itself, for by the time it is read the store may keep it no more. */
export interface RestorePayload {
  readonly reason: string;
  readonly fence: number;
  readonly n: number;
  readonly context: Json;
}

/** The record that gives the run the context of a checkpoint, or the one that says why not. Pure; the caller folds it. */
export function applyRestore(
  plan: RunPlan,
  state: RunState,
  { actor, request, payload }: RestoreRequest,
): JournalRecord {
  const { reason = "", fence, n, context } = (isObject(payload) ? payload : {}) as Partial<RestorePayload>;
  const asked = { actor, reason, request };
  const refusal = forbidsRestore(plan, state);
  if (refusal !== null) return { kind: "verb-refused", verb: RESTORE, ...asked, reason: refusal };
  if (fence === undefined || n === undefined || context === undefined || !isObject(context))
    return { kind: "verb-refused", verb: RESTORE, ...asked, reason: "expected a checkpoint of the run, got none" };
  return { kind: "context-restored", fence, n, context, ...asked };
}

/** Null when the state allows it, else a sentence on why it does not: what is under way has read the context that would go. */
export function forbidsRestore(plan: RunPlan | null, state: RunState): string | null {
  if (state.phase === "ended") return `the run has ended: ${state.end?.status}`;
  if (plan?.isObserved)
    return "the run is choreographed: its stages have contexts of their own; restore that of the stage";
  if (state.stuck === null && !state.paused) return "expected a stuck or paused run; pause it first";
  return state.running === 0 ? null : "attempts of the run are under way; restore its context once they have ended";
}
