import type { Clock } from "../ports.js";

/** How long what others leave is used before they are given a chance at it again. */
const YIELD_AFTER_MS = 5_000;
/** Others look for chunks in this time. */
const OTHERS_LOOK_MS = 750;

/**
 * How many chunks of a batch this instance may have in hand. A slot takes its next chunk when it settles the last one, so the first instance
 * would keep all of them for ever. Each has its part, and what the others leave for long enough; now and then it gives that back, and sees whether
 * they want it.
 */
export class FairShare {
  readonly #concurrency: number;
  readonly #clock: Clock;
  #allowed: number;
  #instances = 1;
  #changedAt: number;
  #yieldedAt: number;

  constructor(concurrency: number, clock: Clock) {
    this.#concurrency = concurrency;
    this.#clock = clock;
    this.#allowed = concurrency;
    this.#changedAt = clock.monotonic();
    this.#yieldedAt = this.#changedAt;
  }

  get allowed(): number {
    return this.#allowed;
  }

  /** `instances`: that live, this one included. `free`: chunks that nobody has in hand, and the batch would allow. */
  look(instances: number, free: number): void {
    const now = this.#clock.monotonic();
    const fair = Math.ceil(this.#concurrency / Math.max(1, instances));
    if (instances !== this.#instances || now - this.#yieldedAt >= YIELD_AFTER_MS) {
      this.#instances = instances;
      this.#yieldedAt = now;
      this.#change(fair, now);
    } else if (free > 0 && now - this.#changedAt >= OTHERS_LOOK_MS) {
      this.#change(Math.min(this.#concurrency, this.#allowed + free), now);
    }
  }

  #change(allowed: number, now: number): void {
    this.#allowed = allowed;
    this.#changedAt = now;
  }
}
