import type { Subscriber, Subscription } from "../../broker/broker.js";
import { ShardLeases } from "../../events/shard-leases.js";
import type { Logger } from "../../log.js";
import type { CancelTimer, Ports } from "../../ports.js";
import { shardOf } from "../../store/event-shard.js";
import type { EventStore, LeasedShard } from "../../store/event-store.js";
import { ShardReader } from "./shard-reader.js";
import { Slots } from "./slots.js";

export interface GroupMemberOptions {
  readonly store: EventStore;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly subscription: Subscription;
  readonly pollMs: number;
  readonly onStopped: (member: GroupMember) => void;
}

const CONCURRENCY = 32;
const SILENCE_MS = 30_000;
const GRACE_MS = 10_000;
/** Who joins or goes is noticed by the others within this time. */
const RENEW_MS = 1_000;

/** One subscription: a member of a group with its share of the shards. */
export class GroupMember implements Subscriber {
  readonly #options: GroupMemberOptions;
  readonly #leases: ShardLeases;
  readonly #readers = new Map<number, ShardReader>();
  readonly #slots: Slots;
  #stopping: Promise<void> | undefined;

  constructor(options: GroupMemberOptions) {
    const { store, ports, logger, subscription } = options;
    this.#options = options;
    this.#slots = new Slots(subscription.concurrency ?? CONCURRENCY);
    this.#leases = new ShardLeases({
      ...{ store, ports, logger, group: subscription.group, leaseMs: subscription.silenceMs ?? SILENCE_MS },
      renewMs: RENEW_MS,
      holding: () => ({ busy: this.#busy(), leaving: this.#stopping !== undefined }),
      onHeld: (shard) => this.#begin(shard),
      onLost: (shard) => this.#drop(shard),
    });
  }

  start(): Promise<void> {
    return this.#leases.start();
  }

  wake(shards: readonly number[]): void {
    for (const shard of shards) this.#readers.get(shard)?.wake();
  }

  isNear(key: string): boolean {
    return this.#leases.trusted() && this.#readers.has(shardOf(key));
  }

  stop(graceMs = GRACE_MS): Promise<void> {
    // Set before anything is begun: from here on the member takes no shard.
    this.#stopping ??= Promise.resolve().then(() => this.#stop(graceMs));
    return this.#stopping;
  }

  async lag(): Promise<number> {
    const rows = await this.#options.store.groups();
    return rows.find(({ group }) => group === this.#options.subscription.group)?.waiting ?? 0;
  }

  async #stop(graceMs: number): Promise<void> {
    let cancel: CancelTimer = () => {};
    const graceOver = new Promise<void>((resolve) => {
      cancel = this.#options.ports.clock.after(graceMs, resolve);
    });
    const busy = this.#busy();
    const stopping = [...this.#readers].map(([shard, reader]) => ({ shard, stopped: reader.stop(graceOver) }));
    // What is not being handled goes to others now, not after what is.
    await Promise.all(stopping.filter(({ shard }) => !busy.includes(shard)).map(({ stopped }) => stopped));
    if (busy.length > 0) await this.#leases.renew();
    await Promise.all(stopping.map(({ stopped }) => stopped));
    cancel();
    await this.#leases.stop();
    const { store, subscription, onStopped } = this.#options;
    if (subscription.ephemeral === true) await store.forgetGroup(subscription.group).catch(() => {});
    onStopped(this);
  }

  #busy(): number[] {
    return [...this.#readers].filter(([, reader]) => reader.isBusy).map(([shard]) => shard);
  }

  #begin(shard: LeasedShard): void {
    if (this.#stopping !== undefined) return;
    const { store, ports, logger, subscription, pollMs } = this.#options;
    const reader = new ShardReader(shard, {
      ...{ store, ports, logger, subscription, pollMs, slots: this.#slots },
      trusted: () => this.#leases.trusted(),
      onTaken: (taken) => this.#leases.drop(taken),
    });
    this.#readers.set(shard.shard, reader);
    reader.start();
  }

  #drop(shard: number): void {
    this.#readers.get(shard)?.drop();
    this.#readers.delete(shard);
  }
}
