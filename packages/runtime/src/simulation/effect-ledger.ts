import type { Direction } from "../engine/records.js";

/** An act of a step in one of its rounds: what an idempotency key stands for. */
export interface KeyedAct {
  readonly step: string;
  readonly direction: Direction;
  readonly round: number;
}

/**
 * The participants' side in a simulation: what really happened, by idempotency key. It keeps the promise that a barrier
 * makes: one effect per key, and no step after its compensation.
 */
export class EffectLedger {
  readonly #effects = new Map<string, KeyedAct>();

  /** True when the call has its effect now; false when it is a duplicate or comes after its compensation. */
  apply(act: KeyedAct): boolean {
    if (this.has(act)) return false;
    if (act.direction === "forward" && this.has({ ...act, direction: "compensate" })) return false;
    const { step, direction, round } = act;
    this.#effects.set(keyOf(act), { step, direction, round });
    return true;
  }

  has(act: KeyedAct): boolean {
    return this.#effects.has(keyOf(act));
  }

  /** Effects in the order they happened. */
  get order(): readonly KeyedAct[] {
    return [...this.#effects.values()];
  }
}

function keyOf({ step, direction, round }: KeyedAct): string {
  return `${direction} ${step} ${round}`;
}
