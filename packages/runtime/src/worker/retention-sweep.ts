import type { Logger } from "../log.js";
import { type CancelTimer, type Ports, sleep } from "../ports.js";
import type { RunStore } from "../store/run-store.js";

export interface RetentionSweepOptions {
  readonly store: RunStore;
  readonly ports: Ports;
  readonly logger: Logger;
  /** How long ended runs are kept; null: for ever, and nothing is swept. */
  readonly endedMs: number | null;
  /** The store's clock; null while this process may not work on the store. */
  readonly now: () => number | null;
}

const INTERVAL_MS = 60_000;
const BATCH = 500;
/** A pause is so many times as long as the batch before it took, so that a sweep leaves most of the store to others. */
const PAUSE = 3;
const LEAST_PAUSE_MS = 50;

/**
 * Deletes runs that ended long ago, in the background: batches of bounded size with pauses between them, so that what a
 * backlog holds up is little. Only an active worker sweeps, at moments that chance spreads, so that instances started
 * together do not crowd; the store hands each run to one of them. A failing store is tried again at the next interval.
 */
export class RetentionSweep {
  readonly #options: RetentionSweepOptions;
  #cancel: CancelTimer = () => {};
  #stop: AbortController | null = null;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(options: RetentionSweepOptions) {
    this.#options = options;
  }

  /** Twice is once. */
  start(): void {
    if (this.#stop !== null || this.#options.endedMs === null) return;
    this.#stop = new AbortController();
    this.#schedule(this.#options.endedMs, this.#stop.signal);
  }

  /** Resolves when nothing is being swept any more. */
  async stop(): Promise<void> {
    this.#stop?.abort();
    this.#cancel();
    await this.#sweeping;
  }

  #schedule(endedMs: number, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#cancel = this.#options.ports.clock.after(this.#spread(INTERVAL_MS), () => {
      this.#sweeping = this.#sweep(endedMs, signal).then(() => this.#schedule(endedMs, signal));
    });
  }

  async #sweep(endedMs: number, signal: AbortSignal): Promise<void> {
    const { store, ports, logger } = this.#options;
    let deleted = 0;
    try {
      for (;;) {
        const now = this.#options.now();
        if (now === null || signal.aborted) break;
        const beganAt = ports.clock.monotonic();
        const batch = await store.prune(now - endedMs, BATCH);
        deleted += batch;
        if (batch < BATCH) break;
        const tookMs = ports.clock.monotonic() - beganAt;
        await sleep(ports.clock, this.#spread(Math.max(LEAST_PAUSE_MS, PAUSE * tookMs)), signal);
      }
    } catch (error) {
      logger.warn({ error: String(error) }, "runs that ended long ago could not be deleted; trying again later");
    }
    if (deleted > 0) logger.info({ runs: deleted }, "runs that ended long ago are deleted");
  }

  /** From half of it to one and a half. */
  #spread(ms: number): number {
    return ms * (0.5 + this.#options.ports.random.float());
  }
}
