import type { Logger } from "../log.js";
import { type CancelTimer, type Ports, uuidV7 } from "../ports.js";
import type { RenewResult, RunStore } from "../store/run-store.js";

export interface LeaseKeeperOptions {
  readonly store: RunStore;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly leaseMs: number;
  readonly label: string;
  /** Runs that the worker believes it owns, or may own by a call under way. */
  readonly runs: () => readonly string[];
  readonly onRenewed: (result: RenewResult & { kind: "active" }) => void;
  /** The lease is gone: whatever was owned belongs to others, now or soon. */
  readonly onLost: () => void;
}

/** Renewals in one lease, at least: two may be lost before the third comes too late. */
const RENEWALS_PER_LEASE = 3;
/** A renewal brings the inbox: what an operator asked of a run by another instance is seen within this time. */
const INBOX_MS = 1_000;
/** After a renewal that failed: until one is answered others may not be taken over from, nor this one trusted for long. */
const AGAIN_MS = 200;
/** Share of the lease given up so that this side stops before the store's side lets others in. */
const SAFETY_MARGIN = 0.2;

/**
 * One lease per worker. `standby` until the store grants it, `active` while it is renewed. It is trusted until a safety
 * margin before its end, counted from when the renewal was sent. A store that declared this worker dead makes it go on
 * under a new id, owning nothing.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  #id: string;
  #state: "stopped" | "standby" | "active" = "stopped";
  #trustedUntil = 0;
  /** Store's clock minus our monotonic one. */
  #offsetMs = 0;
  #cancelTimer: CancelTimer = () => {};
  #renewing: Promise<void> | null = null;
  #renewAgain = false;
  #standbyTold = false;
  #outage: string | null = null;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#id = uuidV7(options.ports);
  }

  get id(): string {
    return this.#id;
  }

  get state(): "stopped" | "standby" | "active" {
    return this.#state;
  }

  storeNow(): number {
    return Math.floor(this.#options.ports.clock.monotonic() + this.#offsetMs);
  }

  trusted(): boolean {
    return this.#state === "active" && this.#options.ports.clock.monotonic() < this.#trustedUntil;
  }

  /** Why the store did not renew the lease, once it cannot be trusted any more; null: it answered. */
  get outage(): string | null {
    return this.trusted() ? null : this.#outage;
  }

  /** Asks for the lease; resolves after the first answer, whatever it is. */
  async start(): Promise<void> {
    this.#state = "standby";
    await this.renew();
  }

  /** Gives the lease up, so that others need not wait for its end. */
  async stop(): Promise<void> {
    if (this.#state === "stopped") return;
    // A renewal under way may yet be granted.
    const owned = this.#state === "active" || this.#renewing !== null;
    this.#state = "stopped";
    this.#cancelTimer();
    await this.#renewing;
    if (!owned) return;
    await this.#options.store.retire(this.#id).catch((error: unknown) => {
      this.#options.logger.warn(
        { error: String(error) },
        "the lease could not be given up; others wait until it expires",
      );
    });
  }

  /** Renews now. A call during a renewal is answered by the one after it. */
  renew(): Promise<void> {
    if (this.#state === "stopped") return Promise.resolve();
    if (this.#renewing !== null) {
      this.#renewAgain = true;
      return this.#renewing;
    }
    this.#cancelTimer();
    this.#renewing = this.#renewOnce().finally(() => {
      this.#renewing = null;
      if (this.#state === "stopped") return;
      const usualMs = Math.min(this.#options.leaseMs / RENEWALS_PER_LEASE, INBOX_MS);
      const delayMs = this.#renewAgain ? 0 : this.#outage === null ? usualMs : Math.min(usualMs, AGAIN_MS);
      this.#renewAgain = false;
      this.#cancelTimer = this.#options.ports.clock.after(delayMs, () => void this.renew());
    });
    return this.#renewing;
  }

  async #renewOnce(): Promise<void> {
    const { store, ports, logger, leaseMs, label, runs } = this.#options;
    const sentAt = ports.clock.monotonic();
    try {
      const result = await store.renew({ worker: this.#id, label, leaseMs, runs: runs() });
      if (this.#state !== "stopped") this.#take(result, sentAt);
    } catch (error) {
      // Whatever the reason, the lease runs out by the store's clock if it stays so.
      logger.warn({ error: String(error) }, "the lease could not be renewed; trying again");
      this.#outage = error instanceof Error ? error.message : String(error);
      if (this.#state === "active" && !this.trusted()) this.#lose();
    }
  }

  #take(result: RenewResult, sentAt: number): void {
    const { ports, logger, leaseMs } = this.#options;
    this.#outage = null;
    if (result.kind === "active") {
      this.#offsetMs = result.now - ports.clock.monotonic();
      this.#trustedUntil = sentAt + leaseMs * (1 - SAFETY_MARGIN);
      if (this.#state !== "active") logger.info({ worker: this.#id }, "this worker is active");
      this.#state = "active";
      this.#standbyTold = false;
      this.#options.onRenewed(result);
      return;
    }
    if (result.kind === "dead") {
      logger.warn({ worker: this.#id }, "the store declared this worker dead; it goes on under a new id");
      this.#lose();
      this.#id = uuidV7(ports);
      this.#renewAgain = true;
      return;
    }
    if (this.#state === "active") this.#lose();
    if (this.#standbyTold) return;
    this.#standbyTold = true;
    const facts = { holder: result.holder, expiresAt: result.expiresAt };
    logger.warn(facts, "another process works on this store; this one stands by until its lease ends");
  }

  #lose(): void {
    this.#state = "standby";
    this.#options.onLost();
  }
}
