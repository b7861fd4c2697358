import type { Logger } from "../log.js";
import { type CancelTimer, type Ports, uuidV7 } from "../ports.js";
import type { EventStore, Holding, LeasedShard } from "../store/event-store.js";

export interface ShardLeasesOptions {
  readonly store: Pick<EventStore, "lease" | "release">;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly group: string;
  readonly leaseMs: number;
  /** Between renewals, ms. Default, and at most, a third of the lease: two may be lost before the third comes too late. */
  readonly renewMs?: number;
  /** Asked at each renewal. */
  readonly holding?: () => Holding;
  /** The shard is this member's from here on, until `onLost` of it. */
  readonly onHeld: (shard: LeasedShard) => void;
  /** Somebody else may have it from now on, or later. */
  readonly onLost: (shard: number) => void;
}

const RENEWALS_PER_LEASE = 3;
/** After a renewal that failed. */
const AGAIN_MS = 200;
/** Share of the lease given up so that this side stops before the store's side lets others in. */
const SAFETY_MARGIN = 0.2;

/**
 * One member of a group, and the shards that are its share. All are renewed in one call. They are trusted until a fifth of the lease
 * before its end, counted from when the renewal was sent; then they count as lost, until the store answers again.
 */
export class ShardLeases {
  readonly member: string;
  readonly #options: ShardLeasesOptions;
  readonly #held = new Map<number, LeasedShard>();
  #isStopped = true;
  #trustedUntil = 0;
  #cancelRenewal: CancelTimer = () => {};
  #cancelDistrust: CancelTimer = () => {};
  #renewing: Promise<void> = Promise.resolve();

  constructor(options: ShardLeasesOptions) {
    this.#options = options;
    this.member = uuidV7(options.ports);
  }

  trusted(): boolean {
    return !this.#isStopped && this.#options.ports.clock.monotonic() < this.#trustedUntil;
  }

  /** Resolves after the first answer. One that does not come is asked for again, in the background. */
  async start(): Promise<void> {
    this.#isStopped = false;
    await this.#renew();
  }

  /** The store said that the shard is somebody else's: it counts as lost, and the store is asked at once what is this member's. */
  drop(shard: number): void {
    if (this.#held.has(shard)) this.#lose(shard);
    if (!this.#isStopped) this.#schedule(0);
  }

  /** Renews now. */
  async renew(): Promise<void> {
    this.#cancelRenewal();
    await this.#renew();
  }

  /** Gives all up, so that others need not wait for the end of the lease. Twice is once. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#cancelRenewal();
    await this.#renewing;
    this.#loseAll();
    const { store, group, logger } = this.#options;
    await store.release(group, this.member).catch((error: unknown) => {
      logger.warn({ group, error: String(error) }, "shards of events could not be given up; others wait for the lease");
    });
  }

  #schedule(delayMs: number): void {
    this.#cancelRenewal();
    this.#cancelRenewal = this.#options.ports.clock.after(delayMs, () => void this.#renew());
  }

  #renew(): Promise<void> {
    this.#renewing = this.#renewing.then(() => this.#renewOnce());
    return this.#renewing;
  }

  async #renewOnce(): Promise<void> {
    const { store, ports, logger, group, leaseMs, renewMs = leaseMs, holding } = this.#options;
    if (this.#isStopped) return;
    const sentAt = ports.clock.monotonic();
    let nextMs = Math.min(renewMs, leaseMs / RENEWALS_PER_LEASE);
    try {
      this.#take(await store.lease(group, this.member, leaseMs, holding?.()), sentAt);
    } catch (error) {
      logger.warn({ group, error: String(error) }, "shards of events could not be leased; trying again");
      nextMs = Math.min(nextMs, AGAIN_MS);
    }
    if (!this.#isStopped) this.#schedule(nextMs);
  }

  #take(shards: readonly LeasedShard[], sentAt: number): void {
    const { ports, leaseMs } = this.#options;
    const trustedMs = sentAt + leaseMs * (1 - SAFETY_MARGIN) - ports.clock.monotonic();
    // An answer that took so long says nothing about now.
    if (this.#isStopped || trustedMs <= 0) return;
    this.#trustedUntil = sentAt + leaseMs * (1 - SAFETY_MARGIN);
    this.#cancelDistrust();
    this.#cancelDistrust = ports.clock.after(trustedMs, () => this.#loseAll());
    const answered = new Map(shards.map((shard) => [shard.shard, shard]));
    for (const [shard, { fence }] of this.#held) if (answered.get(shard)?.fence !== fence) this.#lose(shard);
    for (const [shard, leased] of answered) {
      if (this.#held.has(shard)) continue;
      this.#held.set(shard, leased);
      this.#options.onHeld(leased);
    }
  }

  #loseAll(): void {
    this.#cancelDistrust();
    this.#trustedUntil = 0;
    for (const shard of [...this.#held.keys()]) this.#lose(shard);
  }

  #lose(shard: number): void {
    this.#held.delete(shard);
    this.#options.onLost(shard);
  }
}
