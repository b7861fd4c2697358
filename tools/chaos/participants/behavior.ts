import type { Direction } from "../history.js";
import { Draws, drawn } from "../seeded.js";

/** What a participant does with a call that its barrier lets through. Times in ms from the call's arrival. */
export type Behavior =
  | { readonly kind: "answers"; readonly afterMs: number }
  /** An error status; the effect was had before it, or never. `retryAfterS`: with that header. */
  | {
      readonly kind: "fails";
      readonly status: 408 | 429 | 500 | 503;
      readonly effect: boolean;
      readonly afterMs: number;
      readonly retryAfterS?: number;
    }
  | { readonly kind: "refuses"; readonly afterMs: number }
  /** Never answers; the effect comes when it comes, or never. */
  | { readonly kind: "hangs"; readonly effectAfterMs: number | null }
  /** Breaks the connection, after the effect or without one. */
  | { readonly kind: "breaks"; readonly effect: boolean; readonly afterMs: number }
  /** It ran, and its answer is no JSON. */
  | { readonly kind: "garbles"; readonly afterMs: number };

export interface BehaviorOptions {
  readonly seed: number;
  /** Of a call at the participants, ms: what is late is later than that. */
  readonly timeoutMs: number;
}

/** Of a participant's calls, those that go wrong in one way or another. */
const WRONG = 0.12;
const REFUSES_FORWARD = 0.04;
const REFUSES_COMPENSATION = 0.015;

/**
 * What becomes of the n-th call under a key: drawn from key and number alone, so that it does not depend on what else goes
 * on. A participant stands by a refused step. A refused compensation is accepted the next time, as when somebody mended
 * what was in its way. `calm`: nothing goes wrong any more, but for what was refused.
 */
export function behaviorOf(
  { seed, timeoutMs }: BehaviorOptions,
  { key, direction, n }: { readonly key: string; readonly direction: Direction; readonly n: number },
  calm: boolean,
): Behavior {
  const draws = new Draws(seed, "behavior", key, n);
  const soonMs = draws.chance(0.15) ? draws.between(50, timeoutMs * 0.7) : draws.between(1, 40);
  const refuses = direction === "forward" && drawn(seed, "refuses", key) < REFUSES_FORWARD;
  if (refuses && (calm || !draws.chance(0.3))) return { kind: "refuses", afterMs: soonMs };
  if (calm) return { kind: "answers", afterMs: draws.between(1, 20) };
  if (direction === "compensate" && n === 1 && drawn(seed, "refuses", key) < REFUSES_COMPENSATION)
    return { kind: "refuses", afterMs: soonMs };
  if (!refuses && !draws.chance(WRONG)) return { kind: "answers", afterMs: soonMs };
  // What will be refused may hang or break before, and never has an effect.
  const effect = !refuses && draws.chance(0.6);
  const lateMs = draws.between(0.2, 3) * timeoutMs;
  const dice = draws.float();
  if (dice < 0.25) return { kind: "hangs", effectAfterMs: effect ? lateMs : null };
  if (dice < 0.5) return { kind: "breaks", effect, afterMs: soonMs };
  if (dice < 0.58 && !refuses) return { kind: "answers", afterMs: timeoutMs + lateMs };
  if (dice < 0.62 && !refuses && direction === "forward") return { kind: "garbles", afterMs: soonMs };
  if (dice < 0.72) return { kind: "fails", status: 429, effect: false, afterMs: soonMs, retryAfterS: 1 };
  return { kind: "fails", status: draws.pick([408, 500, 503]), effect, afterMs: soonMs };
}
