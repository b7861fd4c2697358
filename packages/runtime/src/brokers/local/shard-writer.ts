import { retryDelayMs } from "../../events/retry-delay.js";
import type { Logger } from "../../log.js";
import { type Ports, sleep } from "../../ports.js";
import type { EventStore, LeasedShard } from "../../store/event-store.js";
import type { ShardProgress } from "./shard-progress.js";
import { noteOfTries } from "./tries.js";

export interface ShardWriterOptions {
  readonly store: Pick<EventStore, "advance">;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly group: string;
  readonly shard: LeasedShard;
  readonly progress: ShardProgress;
  /** The store says that the shard is somebody else's. */
  readonly onTaken: () => void;
}

/** What was done since the last write is handled again after a crash; one write for each would cost more. */
const WRITE_AFTER_MS = 50;
const BACKOFF = { initialDelayMs: 100, maxDelayMs: 5_000 };

/** Writes down how far a group has come in a shard, and how often it was given what it has not done with. One write at a time. */
export class ShardWriter {
  readonly #options: ShardWriterOptions;
  readonly #closing = new AbortController();
  #isHeld = true;
  #isDropped = false;
  #written: string | undefined;
  #last: Promise<void> = Promise.resolve();
  #coming: Promise<void> | null = null;

  constructor(options: ShardWriterOptions) {
    this.#options = options;
  }

  /** After those that were asked for before. Rejects when the store does not answer. */
  write(): Promise<void> {
    const written = this.#last.then(() => this.#writeOnce());
    this.#last = written.catch(() => {});
    return written;
  }

  /** In a while, with whatever else happens until then. */
  soon(): void {
    if (this.#coming !== null || this.#closing.signal.aborted) return;
    this.#coming = this.#writeLater().finally(() => {
      this.#coming = null;
      // Something ended while the write was on its way.
      if (this.#state().text !== this.#written) this.soon();
    });
  }

  /** The shard is somebody else's: nothing more is written. */
  drop(): void {
    this.#isDropped = true;
    this.#closing.abort();
  }

  /** Writes the last state, and that nobody holds the shard any more. A store that does not answer is not waited for. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#isHeld = false;
    await this.write().catch((error: unknown) => this.#warn(error, "events that were handled come again"));
  }

  async #writeLater(): Promise<void> {
    const { ports, progress } = this.#options;
    const { signal } = this.#closing;
    // When all is done there is nothing to wait for.
    if (progress.open.length > 0) await sleep(ports.clock, WRITE_AFTER_MS, signal);
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        return await this.write();
      } catch (error) {
        if (failures === 1) this.#warn(error, "trying again");
        await sleep(ports.clock, retryDelayMs(BACKOFF, failures, ports.random), signal);
      }
    }
  }

  async #writeOnce(): Promise<void> {
    const { store, group, shard, onTaken } = this.#options;
    const { position, note, text } = this.#state();
    if (text === this.#written || this.#isDropped) return;
    if (!(await store.advance(group, shard, position, note))) return onTaken();
    this.#written = text;
  }

  #state() {
    const { position, open } = this.#options.progress;
    const note = noteOfTries(
      open.filter(({ done }) => !done),
      this.#isHeld,
    );
    return { position, note, text: `${position} ${note}` };
  }

  #warn(error: unknown, consequence: string): void {
    const { logger, group, shard } = this.#options;
    const message = `how far a group has come could not be written; ${consequence}`;
    logger.warn({ group, shard: shard.shard, error: String(error) }, message);
  }
}
