import { isEnded } from "../engine/records.js";
import type { Logger } from "../log.js";
import type { CancelTimer, Ports } from "../ports.js";
import type { ContextSessions } from "../store/context-sessions.js";
import type { RunStore } from "../store/run-store.js";

export interface ContextOwnerOptions {
  readonly contexts: ContextSessions;
  readonly store: Pick<RunStore, "get">;
  readonly ports: Ports;
  readonly logger: Logger;
  /** Of the worker. */
  readonly leaseMs: number;
  /** How long a context lives that nobody renews. */
  readonly ttlMs: number;
  /** The worker's, which is another one after the store declared it dead. */
  readonly id: () => string;
  /** Whoever drives a run drops its context. */
  readonly isDriven: (run: string) => boolean;
  /** How many of the runs driven here are known to have a hot copy. */
  readonly hot: () => number;
}

/** With a lease of three renewals two may fail, and what a dead owner had is adopted at half of the ttl, or earlier. */
const RENEWALS_PER_TTL = 6;
const RENEWALS_PER_LEASE = 3;
/** Contexts adopted in one call. */
const ADOPTED_AT_ONCE = 1_000;
/** Until the next call when there may be more to adopt. */
const MORE_MS = 100;
/** Contexts may be large, and are read whole to be looked through. */
const PAGE = 20;
const PAGES_AT_ONCE = 10;

/**
 * An instance owns the contexts it made, loaded or adopted, under its worker's id. It renews them together, at moments that
 * chance spreads, and so adopts what owners have whose lease ran out. It renews also what it does not drive: the
 * contexts of parked runs live as long as their runs. Hence nothing else ends the context of a run that has ended, if the call
 * that drops it was lost or never made: when this instance owns more contexts than it drives runs that have one, it looks
 * through them once per ttl, a few at each renewal, and drops those. A session store that fails costs runs nothing; it is
 * logged and asked again at the next renewal.
 */
export class ContextOwner {
  readonly #options: ContextOwnerOptions;
  readonly #everyMs: number;
  #owner: string | null = null;
  #isRunning = false;
  #cancelTimer: CancelTimer = () => {};
  #renewing: Promise<void> | null = null;
  /** Where to look on for contexts of ended runs; null: at the beginning. */
  #cursor: string | null = null;
  #lookAt = 0;

  constructor(options: ContextOwnerOptions) {
    this.#options = options;
    this.#everyMs = Math.min(options.leaseMs, options.ttlMs / RENEWALS_PER_TTL);
  }

  /** Nobody waits for the first renewal: runs need no session store. */
  start(): void {
    this.#isRunning = true;
    this.#renew();
  }

  /** The worker may have got a new id: its contexts follow, like its runs. */
  follow(): void {
    if (this.#owner !== null && this.#owner !== this.#options.id()) this.#renew();
  }

  /** Leaves its contexts to the others, at once. */
  async stop(): Promise<void> {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#cancelTimer();
    await this.#renewing;
    if (this.#owner !== null) await this.#retire(this.#owner);
  }

  #renew(): void {
    if (!this.#isRunning || this.#renewing !== null) return;
    this.#cancelTimer();
    this.#renewing = this.#renewOnce().then((delayMs) => {
      this.#renewing = null;
      if (this.#isRunning) this.#cancelTimer = this.#options.ports.clock.after(delayMs, () => this.#renew());
    });
  }

  /** Gives when to renew again, ms. */
  async #renewOnce(): Promise<number> {
    const { contexts, logger, ports, hot } = this.#options;
    const owner = this.#options.id();
    const usualMs = this.#everyMs * (0.75 + ports.random.float() / 2);
    if (this.#owner !== null && this.#owner !== owner) await this.#retire(this.#owner);
    this.#owner = owner;
    try {
      const { owned, adopted } = await contexts.renew(owner, this.#everyMs * RENEWALS_PER_LEASE, ADOPTED_AT_ONCE);
      if (adopted > 0) logger.info({ contexts: adopted }, "contexts of an instance that is gone were adopted");
      if (this.#isRunning && owned > hot()) await this.#dropEnded(owner);
      return adopted < ADOPTED_AT_ONCE ? usualMs : Math.min(usualMs, MORE_MS);
    } catch (error) {
      logger.warn({ error: String(error) }, "the contexts of this instance could not be renewed; trying again");
      return usualMs;
    }
  }

  async #dropEnded(owner: string): Promise<void> {
    const { contexts, store, ports, isDriven } = this.#options;
    const now = ports.clock.monotonic();
    if (this.#cursor === null && now < this.#lookAt) return;
    if (this.#cursor === null) this.#lookAt = now + this.#options.ttlMs;
    for (let page = 0; page < PAGES_AT_ONCE && this.#isRunning; page += 1) {
      const { runs, nextCursor } = await contexts.runsOf(owner, PAGE, this.#cursor);
      for (const run of runs) {
        if (!this.#isRunning) return;
        if (isDriven(run)) continue;
        const row = await store.get(run);
        // One that is not there was deleted, when it had ended long ago.
        if (row === undefined || isEnded(row.status)) await contexts.drop(run);
      }
      this.#cursor = nextCursor;
      if (nextCursor === null) return;
    }
  }

  async #retire(owner: string): Promise<void> {
    try {
      await this.#options.contexts.retire(owner);
    } catch (error) {
      const message = "contexts could not be left to other instances at once; they adopt them when the lease ends";
      this.#options.logger.warn({ error: String(error) }, message);
    }
  }
}
