import type { Logger } from "../log.js";
import { type CancelTimer, type Ports, sleep } from "../ports.js";
import type { EventStore } from "../store/event-store.js";
import type { EventRetention } from "./event-retention.js";

export interface EventSweepOptions {
  readonly store: Pick<EventStore, "pruneOutbox" | "pruneHandled">;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly retention: EventRetention;
  /** The store's clock. */
  readonly now: () => Promise<number>;
}

const INTERVAL_MS = 60_000;
const BATCH = 500;
/** Of each kind in one sweep. */
const MAX_BATCHES = 200;
const PAUSE_MS = 50;

/**
 * Deletes events that left long ago and the ids of those that were handled long ago, in the background, in batches with pauses
 * between them. Every process may sweep, at moments that chance spreads. A failing store is tried again at the next interval.
 */
export class EventSweep {
  readonly #options: EventSweepOptions;
  #cancel: CancelTimer = () => {};
  #stop: AbortController | null = null;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(options: EventSweepOptions) {
    this.#options = options;
  }

  /** Twice is once. */
  start(): void {
    if (this.#stop !== null) return;
    this.#stop = new AbortController();
    this.#schedule(this.#stop.signal);
  }

  /** Resolves when nothing is being deleted any more. */
  async stop(): Promise<void> {
    this.#stop?.abort();
    this.#stop = null;
    this.#cancel();
    await this.#sweeping;
  }

  #schedule(signal: AbortSignal): void {
    if (signal.aborted) return;
    const { clock, random } = this.#options.ports;
    this.#cancel = clock.after(INTERVAL_MS * (0.5 + random.float()), () => {
      this.#sweeping = this.#sweep(signal).then(() => this.#schedule(signal));
    });
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { store, logger, retention } = this.#options;
    try {
      const now = await this.#options.now();
      const events = await this.#prune(() => store.pruneOutbox(now - retention.replayMs, BATCH), signal);
      const ids = await this.#prune(() => store.pruneHandled(now - retention.handledMs, BATCH), signal);
      if (events + ids > 0)
        logger.info({ events, ids }, "events and ids of handled events whose time is over are deleted");
    } catch (error) {
      logger.warn({ error: String(error) }, "events whose time is over could not be deleted; trying again later");
    }
  }

  async #prune(prune: () => Promise<number>, signal: AbortSignal): Promise<number> {
    const { clock, random } = this.#options.ports;
    let deleted = 0;
    for (let batch = 0; batch < MAX_BATCHES && !signal.aborted; batch += 1) {
      const count = await prune();
      deleted += count;
      if (count < BATCH) break;
      await sleep(clock, PAUSE_MS * (0.5 + random.float()), signal);
    }
    return deleted;
  }
}
