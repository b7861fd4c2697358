import type { Decision } from "../engine/decide.js";
import { type RunState, waitsForOperator } from "../engine/state.js";
import type { Next } from "../store/run-store.js";

export interface Whereabouts {
  readonly draining: boolean;
  /** It waits here for what may come at any moment. */
  readonly held: boolean;
  readonly parkAfterMs: number;
}

/** What becomes of a run after what was decided: its worker goes on with it, hands it back for a time, or it has ended. */
export function nextOf(state: RunState, { wakeAt, awaitsMessage }: Decision, now: number, at: Whereabouts): Next {
  if (state.phase === "ended") return { kind: "finish" };
  if (state.running > 0) return { kind: "keep" };
  if (waitsForOperator(state)) return { kind: "park", delayMs: null };
  if (at.draining) return { kind: "park", delayMs: 0 };
  if (at.held) return { kind: "keep" };
  if (wakeAt === null) return awaitsMessage ? { kind: "park", delayMs: null } : { kind: "keep" };
  if (wakeAt - now > at.parkAfterMs) return { kind: "park", delayMs: Math.ceil(wakeAt - now) };
  return { kind: "keep" };
}
