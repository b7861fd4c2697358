import type { Subscription } from "../../broker/broker.js";
import { type EventMessage, isOfPattern } from "../../broker/event-message.js";
import { Bell } from "../../events/bell.js";
import { retryDelayMs } from "../../events/retry-delay.js";
import type { Logger } from "../../log.js";
import { type Ports, sleep } from "../../ports.js";
import type { EventStore, LeasedShard, StoredEvent } from "../../store/event-store.js";
import { KeyLanes } from "./key-lanes.js";
import { type OpenEvent, ShardProgress } from "./shard-progress.js";
import { ShardWriter } from "./shard-writer.js";
import type { Slots } from "./slots.js";
import { Tries } from "./tries.js";

export interface ShardReaderOptions {
  readonly store: EventStore;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly subscription: Subscription;
  readonly slots: Slots;
  readonly pollMs: number;
  readonly trusted: () => boolean;
  /** The store says that the shard is somebody else's. */
  readonly onTaken: (shard: number) => void;
}

/** Read ahead, at most: what waits behind one that is not done. */
const MAX_OPEN = 500;
const MAX_OPEN_BYTES = 4 * 1_048_576;
const READ = 100;
/**
 * From a hint to the read. What this process wrote it mostly knows before it is read, and what else is put meanwhile comes with it; more of
 * that the more there is.
 */
const GATHER_MS = 4;
const GATHER_MORE_MS = 20;
/** Since the last read, at most, for there to be much. */
const BUSY_MS = 100;
const STORE_BACKOFF = { initialDelayMs: 100, maxDelayMs: 5_000 };
const RETRY = { initialDelayMs: 100, maxDelayMs: 30_000 };

/** The events of one shard for one group, for as long as the member's lease of it lasts. */
export class ShardReader {
  readonly #options: ShardReaderOptions;
  readonly #shard: LeasedShard;
  readonly #progress: ShardProgress;
  readonly #tries: Tries;
  readonly #lanes: KeyLanes;
  readonly #writer: ShardWriter;
  readonly #bell = new Bell();
  readonly #reading = new AbortController();
  readonly #underWay = new Set<AbortController>();
  #position: string | null;
  #read = 0;
  /** When something was, last. */
  #readAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> = Promise.resolve();

  constructor(shard: LeasedShard, options: ShardReaderOptions) {
    const { store, ports, logger, subscription, slots, onTaken } = options;
    this.#options = options;
    this.#shard = shard;
    this.#position = shard.position;
    this.#progress = new ShardProgress(shard.position);
    this.#tries = new Tries(shard.note);
    this.#lanes = new KeyLanes(ports.clock, slots);
    this.#writer = new ShardWriter({
      ...{ store, ports, logger, shard, group: subscription.group, progress: this.#progress },
      onTaken: () => onTaken(shard.shard),
    });
  }

  start(): void {
    this.#running = this.#run(this.#reading.signal);
  }

  /** Something of it is being handled. */
  get isBusy(): boolean {
    return this.#underWay.size > 0;
  }

  /** There may be something to read. */
  wake(): void {
    this.#bell.ring();
  }

  /** Somebody else handles what is under way here: it is given up at once. */
  drop(): void {
    this.#reading.abort();
    this.#writer.drop();
    void this.#lanes.close();
    this.#giveUp();
  }

  /** Takes no more, waits for what is under way until the grace is over, and writes down how far it came. */
  async stop(graceOver: Promise<void>): Promise<void> {
    this.#reading.abort();
    const ended = Promise.all([this.#lanes.close(), this.#running]);
    await Promise.race([ended, graceOver]);
    this.#giveUp();
    await this.#writer.close();
  }

  #giveUp(): void {
    for (const controller of this.#underWay) controller.abort();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { ports, pollMs } = this.#options;
    for (let failures = 0, isBegun = false; !signal.aborted; ) {
      try {
        // Whoever comes after a crash of this process knows by it that events may have been given out.
        if (!isBegun) await this.#writer.write();
        isBegun = true;
        const isIdle = !this.#hasRoom() || !this.#options.trusted() || !(await this.#readOn(signal));
        failures = 0;
        if (!isIdle) continue;
        await this.#bell.wait(ports.clock, pollMs, signal);
        await sleep(ports.clock, this.#gatherMs(), signal);
      } catch (error) {
        failures += 1;
        if (failures === 1) this.#warn(error, "events could not be read; trying again");
        await sleep(ports.clock, retryDelayMs(STORE_BACKOFF, failures, ports.random), signal);
      }
    }
  }

  #gatherMs(): number {
    return this.#options.ports.clock.monotonic() - this.#readAt < BUSY_MS ? GATHER_MORE_MS : GATHER_MS;
  }

  #hasRoom(): boolean {
    return this.#progress.open.length < MAX_OPEN && this.#progress.bytes < MAX_OPEN_BYTES;
  }

  /** False: that was all there is, for now. */
  async #readOn(signal: AbortSignal): Promise<boolean> {
    const stored = await this.#options.store.read(this.#shard.shard, this.#position, READ);
    if (signal.aborted) return false;
    if (stored.length > 0) this.#readAt = this.#options.ports.clock.monotonic();
    for (const entry of stored) this.#take(entry);
    return stored.length === READ;
  }

  #take({ position, event }: StoredEvent): void {
    const { subscription, ports } = this.#options;
    this.#position = position;
    this.#read += 1;
    const isWanted = subscription.subjects.some((pattern) => isOfPattern(event.subject, pattern));
    // What the holder before may have read as well: for it a crash is counted before it can happen again.
    const isCareful = this.#tries.wasHeld && this.#read <= MAX_OPEN;
    const bytes = isWanted ? Buffer.byteLength(event.body) : 0;
    const open = this.#progress.add(position, bytes, isWanted ? this.#tries.of(position, isCareful) : 0);
    if (!isWanted) return this.#done(open);
    this.#lanes.add({
      key: event.key,
      run: () => this.#give(event, open, isCareful),
      retryAfterMs: () => subscription.retryAfterMs?.(open.tries) ?? retryDelayMs(RETRY, open.tries, ports.random),
      onDone: () => this.#done(open),
    });
  }

  async #give(message: EventMessage, open: OpenEvent, isCareful: boolean): Promise<void> {
    const controller = new AbortController();
    this.#underWay.add(controller);
    open.tries += 1;
    try {
      if (isCareful) await this.#writer.write();
      else this.#writer.soon();
      const { signal } = controller;
      await this.#options.subscription.handle({ message, attempt: open.tries, signal });
    } finally {
      this.#underWay.delete(controller);
    }
  }

  #done(open: OpenEvent): void {
    const hadRoom = this.#hasRoom();
    this.#progress.done(open);
    if (!hadRoom) this.#bell.ring();
    this.#writer.soon();
  }

  #warn(error: unknown, message: string): void {
    const { logger, subscription } = this.#options;
    logger.warn({ group: subscription.group, shard: this.#shard.shard, error: String(error) }, message);
  }
}
