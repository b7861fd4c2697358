import type { Direction } from "../engine/records.js";

/**
 * The participants' side in a simulation: what really happened, by idempotency key. It keeps the promise that a barrier
 * makes: one effect per key, and no step after its compensation.
 */
export class EffectLedger {
  readonly #effects = new Set<string>();
  readonly #order: string[] = [];

  /** True when the call has its effect now; false when it is a duplicate or comes after its compensation. */
  apply(step: string, direction: Direction): boolean {
    const key = `${direction}:${step}`;
    if (this.#effects.has(key)) return false;
    if (direction === "forward" && this.#effects.has(`compensate:${step}`)) return false;
    this.#effects.add(key);
    this.#order.push(key);
    return true;
  }

  has(step: string, direction: Direction): boolean {
    return this.#effects.has(`${direction}:${step}`);
  }

  /** Effects in the order they happened, `<direction>:<step>`. */
  get order(): readonly string[] {
    return this.#order;
  }
}
