import type { CallEvent, Output } from "../history.js";
import { itemOf } from "./item-step.js";

/** What a participant says to a call before it does anything. */
export type Verdict =
  | { readonly kind: "go" }
  /** It had its effect before: the same answer again. */
  | { readonly kind: "replayed"; readonly output: Output }
  /** Another call under the same key is at it. */
  | { readonly kind: "in-progress" }
  /** Its compensation came first: it will never have an effect. */
  | { readonly kind: "compensated" }
  /** A newer owner of the run has called before. */
  | { readonly kind: "stale-fence" };

type Call = Pick<CallEvent, "run" | "step" | "direction" | "key" | "forwardKey" | "fence" | "call">;

/**
 * A participant's barrier, written from what participants are promised and nothing else: one effect per key, none from an
 * older fence, none of a step after its compensation. Items of a batch are worked by owners of their own, so each has its fence.
 */
export class EffectLedger {
  readonly #effects = new Map<string, Output>();
  readonly #fences = new Map<string, number>();
  /** Keys of what was compensated. */
  readonly #tombstones = new Set<string>();
  /** Calls at work, by key. */
  readonly #atWork = new Map<string, number>();

  arrive(call: Call): Verdict {
    const owned = `${call.run} ${itemOf(call.step)?.item ?? ""}`;
    const newest = Math.max(this.#fences.get(owned) ?? 0, call.fence);
    this.#fences.set(owned, newest);
    if (call.fence < newest) return { kind: "stale-fence" };
    // Also what had its effect before: whoever does not know that it was undone must not take it for done.
    if (call.direction === "forward" && this.#isCompensated(call)) return { kind: "compensated" };
    const output = this.#effects.get(call.key);
    if (output !== undefined) return { kind: "replayed", output };
    if (this.#atWork.has(call.key)) return { kind: "in-progress" };
    this.#atWork.set(call.key, call.call);
    return { kind: "go" };
  }

  /** Has the effect, unless the step was compensated meanwhile or the call is no longer at work. */
  apply(call: Call, output: Output): boolean {
    if (this.#atWork.get(call.key) !== call.call) return false;
    this.#atWork.delete(call.key);
    if (call.direction === "forward" && this.#isCompensated(call)) return false;
    this.#effects.set(call.key, output);
    if (call.direction === "compensate") this.#tombstones.add(call.forwardKey ?? "");
    return true;
  }

  /** The call comes to nothing: the next one under the key may try. */
  drop(call: Call): void {
    if (this.#atWork.get(call.key) === call.call) this.#atWork.delete(call.key);
  }

  #isCompensated({ key }: Call): boolean {
    return this.#tombstones.has(key);
  }
}
