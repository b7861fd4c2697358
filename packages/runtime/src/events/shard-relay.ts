import type { PublishResult } from "../broker/broker.js";
import type { Logger } from "../log.js";
import { type Ports, sleep } from "../ports.js";
import type { EventStore, LeasedShard, StoredEvent } from "../store/event-store.js";
import { Bell } from "./bell.js";
import type { BrokerLink } from "./broker-link.js";
import { ReadSize } from "./read-size.js";
import { Receipts } from "./receipts.js";
import type { RelayCounts } from "./relay-counts.js";
import { replayStart } from "./replay-start.js";
import { retryDelayMs } from "./retry-delay.js";

export interface ShardRelayOptions {
  readonly store: EventStore;
  readonly link: BrokerLink;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly group: string;
  readonly counts: RelayCounts;
  readonly batch: { readonly events: number; readonly bytes: number };
  readonly pollMs: number;
  readonly replayMs: number;
  /** The store's clock. */
  readonly now: () => Promise<number>;
  readonly trusted: () => boolean;
  /** The store says that the shard is somebody else's. */
  readonly onTaken: (shard: number) => void;
}

/** How often the broker is asked whether it still has what it took. */
const CHECK_MS = 10_000;
/**
 * Before it publishes it asks as well, when the broker has not answered for this shard for so long: in less time none goes down, loses its
 * end and comes back. What is published on top of a loss would hide it.
 */
const SILENCE_MS = 1_000;
/** From one read that found something to the next, unless more is known to be there: what is put meanwhile goes together, and nobody waits who is alone. */
const GATHER_MS = 10;
const BACKOFF = { initialDelayMs: 100, maxDelayMs: 5_000 };

/**
 * One shard of the outbox on its way to a broker, for as long as its lease lasts. Reads, publishes, advances, in this order: a crash
 * between two of them sends a batch again, and loses none. What fails is done again from there, with backoff and without end. Before it
 * publishes after an outage or a pause, and every 10 s, it asks whether the broker still has what it took; if not, it goes back.
 */
export class ShardRelay {
  readonly #options: ShardRelayOptions;
  readonly #shard: LeasedShard;
  readonly #bell = new Bell();
  readonly #stop = new AbortController();
  readonly #size: ReadSize;
  #position: string | null;
  #receipts: Receipts;
  /** Undefined: not since this shard was taken. */
  #checked: { readonly at: number; readonly failures: number } | undefined;
  /** The broker had everything that was put into the outbox up to then, when it was asked last; store's clock, ms. */
  #heldUpTo = Number.NEGATIVE_INFINITY;
  /** When the last call was sent that the broker answered. */
  #heardAt = Number.NEGATIVE_INFINITY;
  /** When something was read, last. */
  #readAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> = Promise.resolve();

  constructor(shard: LeasedShard, options: ShardRelayOptions) {
    this.#options = options;
    this.#shard = shard;
    this.#position = shard.position;
    this.#receipts = Receipts.ofNote(shard.note);
    this.#size = new ReadSize(options.batch.events, options.batch.bytes);
  }

  start(): void {
    this.#running = this.#run(this.#stop.signal);
  }

  /** There may be something to read. */
  wake(): void {
    this.#bell.ring();
  }

  /** Resolves when a batch that was on its way is answered and written down. */
  stop(): Promise<void> {
    this.#stop.abort();
    return this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { ports, logger, group, pollMs } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      try {
        const isIdle = !this.#options.trusted() || !(await this.#step(signal));
        failures = 0;
        if (!isIdle) continue;
        await this.#bell.wait(ports.clock, pollMs, signal);
        await this.#gather(signal);
      } catch (error) {
        failures += 1;
        // Once is enough: how long it lasts is to be seen in the counts.
        if (failures === 1)
          logger.warn(
            { group, shard: this.#shard.shard, error: String(error) },
            "events could not be sent; trying again",
          );
        await sleep(ports.clock, retryDelayMs(BACKOFF, failures, ports.random), signal);
      }
    }
  }

  async #gather(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.ports;
    const leftMs = this.#readAt + GATHER_MS - clock.monotonic();
    if (leftMs > 0) await sleep(clock, leftMs, signal);
  }

  /** False: that was all there is, for now. */
  async #step(signal: AbortSignal): Promise<boolean> {
    const { store, ports } = this.#options;
    if (this.#isCheckDue()) await this.#check(signal);
    if (signal.aborted) return false;
    const { limit } = this.#size;
    const stored = await store.read(this.#shard.shard, this.#position, limit);
    if (stored.length > 0) this.#readAt = ports.clock.monotonic();
    for (const batch of this.#size.split(stored)) {
      // Whoever has the shard by then may be sending what comes later.
      if (signal.aborted || !this.#options.trusted()) return false;
      if (ports.clock.monotonic() - this.#heardAt >= SILENCE_MS && (await this.#check(signal))) return true;
      await this.#send(batch, signal);
    }
    return stored.length === limit;
  }

  async #send(batch: readonly StoredEvent[], signal: AbortSignal): Promise<void> {
    const { link, ports, counts, replayMs } = this.#options;
    const last = batch.at(-1);
    if (last === undefined) return;
    const sentAt = ports.clock.monotonic();
    const results = await link.call((broker) => broker.publish(batch.map(({ event }) => event)));
    this.#heardAt = sentAt;
    await this.#parkRejected(batch, results);
    const receipt = results.findLast((result) => result.kind === "stored")?.receipt;
    const receipts =
      receipt === undefined
        ? this.#receipts
        : this.#receipts.with({ position: last.position, receipt, at: last.storedAt }, last.storedAt - replayMs);
    counts.published += results.filter(({ kind }) => kind === "stored").length;
    await this.#advance(last.position, receipts, signal);
  }

  async #parkRejected(batch: readonly StoredEvent[], results: readonly PublishResult[]): Promise<void> {
    const { store, counts, group, logger } = this.#options;
    for (const [index, { event }] of batch.entries()) {
      const result = results[index];
      if (result?.kind !== "rejected") continue;
      const error = { code: "rejected", message: result.reason.slice(0, 500) };
      await store.park({ group, event, error, attempts: 1, parkedAt: 0 });
      counts.parked += 1;
      logger.error({ group, event: event.id, error }, "the broker never takes this event; it is parked");
    }
  }

  async #advance(position: string | null, receipts: Receipts, signal: AbortSignal): Promise<void> {
    const { store, group, onTaken } = this.#options;
    if (signal.aborted) return;
    if (!(await store.advance(group, this.#shard, position, receipts.note))) {
      // By the fence; a lease that this side still trusts was given to another.
      this.#stop.abort();
      return onTaken(this.#shard.shard);
    }
    this.#position = position;
    this.#receipts = receipts;
  }

  #isCheckDue(): boolean {
    const { link, ports } = this.#options;
    return (
      this.#checked === undefined ||
      this.#checked.failures !== link.failures ||
      ports.clock.monotonic() - this.#checked.at >= CHECK_MS
    );
  }

  /** True: it went back. */
  async #check(signal: AbortSignal): Promise<boolean> {
    const { link, ports, store, counts, logger, group, replayMs } = this.#options;
    const { failures } = link;
    const sentAt = ports.clock.monotonic();
    const lost = this.#receipts.newest;
    let held: string | null = null;
    for (const { position, receipt, at } of this.#receipts.newestFirst) {
      // What the broker holds on top of a loss hides it: a stream that was deleted and made again in an instant has no outage.
      if (await link.call((broker) => broker.holds(receipt))) held ??= position;
      else held = null;
      if (held !== null && at <= this.#heldUpTo) break;
    }
    this.#heardAt = sentAt;
    this.#checked = { at: sentAt, failures };
    if (lost === undefined || held === lost.position || this.#position === null) {
      this.#heldUpTo = lost?.at ?? Number.NEGATIVE_INFINITY;
      return false;
    }
    this.#heldUpTo = Number.NEGATIVE_INFINITY;
    const { shard } = this.#shard;
    const [from, notBefore] = [this.#position, (await this.#options.now()) - replayMs];
    const to = await replayStart({ store, shard, after: held, until: from, notBefore });
    await this.#advance(to, held === null ? new Receipts() : this.#receipts.upTo(held), signal);
    counts.rewound += 1;
    logger.error(
      { group, shard, from, to },
      "the broker has lost events that it had stored; they are sent again from the outbox",
    );
    return true;
  }
}
