import type { CancelTimer, Clock } from "../ports.js";

/** Calls when something falls due: at the earliest of the times it was told. Those after that one are for polls to find. */
export class DueTimer {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  #at = Number.POSITIVE_INFINITY;
  #cancel: CancelTimer = () => {};

  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  in(delayMs: number): void {
    const at = this.#clock.monotonic() + delayMs;
    if (at >= this.#at) return;
    this.#cancel();
    this.#at = at;
    this.#cancel = this.#clock.after(delayMs, () => {
      this.#at = Number.POSITIVE_INFINITY;
      this.#onDue();
    });
  }

  stop(): void {
    this.#cancel();
  }
}
