import type { Clock } from "../../ports.js";

/** Share of a lease without an answer after which a worker no longer trusts its own. */
const TRUSTED = 0.8;

/**
 * Whether this instance may declare others dead. After a silence in which it could not have kept its own lease, the others
 * may have been cut off as well, and their leases look expired for no fault of theirs: they get the length of a lease to
 * renew. One answer that is lost, or one connection that breaks, is no silence: a busy network would put takeovers off for ever.
 */
export class Silence {
  readonly #clock: Clock;
  #renewedAt: number | null = null;
  #endedAt = Number.NEGATIVE_INFINITY;
  #leaseMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A renewal was answered. */
  renewed(leaseMs: number): void {
    const now = this.#clock.monotonic();
    if (this.#renewedAt !== null && now - this.#renewedAt > leaseMs * TRUSTED) this.#endedAt = now;
    this.#renewedAt = now;
    this.#leaseMs = leaseMs;
  }

  /** Also false while it lasts: a claim may be the first thing that is answered after it. */
  mayBury(): boolean {
    const now = this.#clock.monotonic();
    if (this.#renewedAt !== null && now - this.#renewedAt > this.#leaseMs * TRUSTED) return false;
    return now >= this.#endedAt + this.#leaseMs;
  }
}
