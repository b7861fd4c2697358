import { type Act, type ActEvent, follow, transition } from "./act.js";
import { noteOutcome } from "./crashes.js";
import type { RunState } from "./state.js";

/** One act of a run changes, and with it how many of them are under way. */
export function move(state: RunState, act: Act, event: ActEvent, step: string): void {
  const before = act.status === "running" ? 1 : 0;
  if (state.isJudged) transition(act, event, `step "${step}"`);
  else follow(act, event);
  state.running += (act.status === "running" ? 1 : 0) - before;
  if (before === 1 && event !== "interrupt") noteOutcome(state.crashes, state.running > 0);
}
