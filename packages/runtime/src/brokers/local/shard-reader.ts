import type { Subscription } from "../../broker/broker.js";
import { isOfPattern } from "../../broker/event-message.js";
import { Bell } from "../../events/bell.js";
import { retryDelayMs } from "../../events/retry-delay.js";
import type { Logger } from "../../log.js";
import { type Ports, sleep } from "../../ports.js";
import type { EventStore, LeasedShard, StoredEvent } from "../../store/event-store.js";
import { KeyLanes } from "./key-lanes.js";
import { ShardProgress } from "./shard-progress.js";
import type { Slots } from "./slots.js";

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

/** Read ahead, at most: what waits behind a key that fails. */
const MAX_OPEN = 500;
const MAX_OPEN_BYTES = 4 * 1_048_576;
const READ = 32;
/** What was done since the last write is handled again after a crash; one write for each would cost more. */
const WRITE_AFTER_MS = 50;
const STORE_BACKOFF = { initialDelayMs: 100, maxDelayMs: 5_000 };
const RETRY = { initialDelayMs: 100, maxDelayMs: 30_000 };

/** The events of one shard for one group, for as long as the member's lease of it lasts. */
export class ShardReader {
  readonly #options: ShardReaderOptions;
  readonly #shard: LeasedShard;
  readonly #progress: ShardProgress;
  readonly #lanes: KeyLanes;
  readonly #bell = new Bell();
  readonly #reading = new AbortController();
  readonly #handling = new AbortController();
  #read: string | null;
  #written: string | null;
  #writing: Promise<void> | null = null;
  #running: Promise<void> = Promise.resolve();
  #isDropped = false;

  constructor(shard: LeasedShard, options: ShardReaderOptions) {
    const { ports, slots, subscription } = options;
    this.#options = options;
    this.#shard = shard;
    this.#read = shard.position;
    this.#written = shard.position;
    this.#progress = new ShardProgress(shard.position);
    const retryAfterMs = (attempt: number): number =>
      subscription.retryAfterMs?.(attempt) ?? retryDelayMs(RETRY, attempt, ports.random);
    this.#lanes = new KeyLanes({ clock: ports.clock, slots, retryAfterMs });
  }

  start(): void {
    this.#running = this.#run(this.#reading.signal);
  }

  /** There may be something to read. */
  wake(): void {
    this.#bell.ring();
  }

  /** Somebody else handles what is under way here: it is given up at once. */
  drop(): void {
    this.#isDropped = true;
    this.#reading.abort();
    this.#handling.abort();
    void this.#lanes.close();
  }

  /** Takes no more, waits for what is under way until `signal`, and writes down how far it came. */
  async stop(signal: AbortSignal): Promise<void> {
    this.#reading.abort();
    const abort = (): void => this.#handling.abort();
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    const ended = Promise.all([this.#lanes.close(), this.#running]);
    await Promise.race([ended, new Promise((resolve) => this.#handling.signal.addEventListener("abort", resolve))]);
    signal.removeEventListener("abort", abort);
    this.#handling.abort();
    await this.#writing;
    await this.#write().catch((error: unknown) =>
      this.#warn(error, "how far events were handled could not be written"),
    );
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { ports, pollMs } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      try {
        const isIdle = !this.#hasRoom() || !this.#options.trusted() || !(await this.#readOn(signal));
        failures = 0;
        if (isIdle) await this.#bell.wait(ports.clock, pollMs, signal);
      } catch (error) {
        failures += 1;
        if (failures === 1) this.#warn(error, "events could not be read; trying again");
        await sleep(ports.clock, retryDelayMs(STORE_BACKOFF, failures, ports.random), signal);
      }
    }
  }

  #hasRoom(): boolean {
    return this.#progress.open < MAX_OPEN && this.#progress.bytes < MAX_OPEN_BYTES;
  }

  /** False: nothing was there. */
  async #readOn(signal: AbortSignal): Promise<boolean> {
    const stored = await this.#options.store.read(this.#shard.shard, this.#read, READ);
    if (signal.aborted) return false;
    for (const entry of stored) this.#take(entry);
    return stored.length > 0;
  }

  #take({ position, event }: StoredEvent): void {
    const { subscription } = this.#options;
    this.#read = position;
    const isWanted = subscription.subjects.some((pattern) => isOfPattern(event.subject, pattern));
    const done = this.#progress.add(position, isWanted ? Buffer.byteLength(event.body) : 0);
    const onDone = (): void => {
      const hadRoom = this.#hasRoom();
      done();
      if (!hadRoom) this.#bell.ring();
      this.#writeSoon();
    };
    if (!isWanted) return onDone();
    const { signal } = this.#handling;
    this.#lanes.add({
      key: event.key,
      run: async (attempt) => subscription.handle({ message: event, attempt, signal }),
      onDone,
    });
  }

  #writeSoon(): void {
    if (this.#writing !== null || this.#reading.signal.aborted) return;
    this.#writing = this.#writeLater().finally(() => {
      this.#writing = null;
      if (this.#progress.position !== this.#written) this.#writeSoon();
    });
  }

  async #writeLater(): Promise<void> {
    const { ports } = this.#options;
    const { signal } = this.#reading;
    // When all is done there is nothing to wait for.
    if (this.#progress.open > 0) await sleep(ports.clock, WRITE_AFTER_MS, signal);
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        return await this.#write();
      } catch (error) {
        if (failures === 1) this.#warn(error, "how far events were handled could not be written; trying again");
        await sleep(ports.clock, retryDelayMs(STORE_BACKOFF, failures, ports.random), signal);
      }
    }
  }

  async #write(): Promise<void> {
    const { store, subscription, onTaken } = this.#options;
    const { position } = this.#progress;
    if (position === this.#written || this.#isDropped) return;
    if (await store.advance(subscription.group, this.#shard, position, null)) this.#written = position;
    else onTaken(this.#shard.shard);
  }

  #warn(error: unknown, message: string): void {
    const { logger, subscription } = this.#options;
    logger.warn({ group: subscription.group, shard: this.#shard.shard, error: String(error) }, message);
  }
}
