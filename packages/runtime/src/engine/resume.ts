import { move } from "./move.js";
import type { RunPlan } from "./plan.js";
import type { JournalRecord } from "./records.js";
import { goForward } from "./rounds.js";
import type { RunState } from "./state.js";
import { unstick } from "./stuck.js";

/** Whatever it waited for an operator for, one has acted. */
export function release(state: RunState): void {
  unstick(state);
  state.paused = false;
  state.crashes.counted = 0;
}

/** The run gets a fresh timeout, and one that was stuck more: acts that ended badly get a fresh budget of attempts, at once. */
export function resume(state: RunState, at: number): void {
  const stuck = state.stuck !== null;
  release(state);
  state.timedFrom = at;
  if (stuck) resumeActs(state, at);
}

/** Forward again from where the run is, or back to a step first. */
export function retry(
  plan: RunPlan | null,
  state: RunState,
  { step, wave, actor, reason }: JournalRecord & { kind: "retry-requested" },
  at: number,
): void {
  release(state);
  state.timedFrom = at;
  state.cancel = null;
  state.retried = true;
  if (step === undefined) {
    // From where it is, wherever an earlier retry wanted it to go.
    state.unwindTo = null;
    if (state.phase === "unwinding") begin(plan, state, at);
    else resumeActs(state, at);
    return;
  }
  const error = { code: "retried", message: `retried from "${step}" by ${actor}: ${reason}` };
  state.phase = "unwinding";
  state.unwind = { cause: "retry", compensate: true, error, step };
  state.unwindTo = wave ?? 0;
  resumeActs(state, at);
}

/** Forward again after something was undone. */
export function begin(plan: RunPlan | null, state: RunState, at: number): void {
  goForward(plan, state);
  resumeActs(state, at);
}

/** In the direction that the run goes. */
export function resumeActs(state: RunState, at: number): void {
  for (const { name, forward, undo } of state.steps.values()) {
    const act = state.phase === "unwinding" ? undo : forward;
    if (act.status !== "failed" && act.status !== "refused") continue;
    move(state, act, "resume", name);
    act.failures = 0;
    act.dueAt = at;
    act.endedAt = null;
  }
}
