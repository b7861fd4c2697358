import type { Logger } from "../log.js";
import { type CancelTimer, type Ports, sleep } from "../ports.js";
import type { SessionStore } from "../store/session-store.js";

/**
 * Deletes expired sessions in the background. Correctness never waits for it: deadlines are judged at each call. Every
 * instance sweeps, at moments that chance spreads over the interval, so that instances started together do not crowd;
 * the store hands each expired session to one of them. A sweep works in batches with a turn of the event loop between
 * them and gives up its turn after a bounded number. A failing store is logged and tried again at the next interval.
 */
export interface SweepOptions {
  readonly store: SessionStore;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly intervalMs: number;
  readonly batchSize: number;
}

const MAX_BATCHES = 20;

export class SessionSweep {
  readonly #options: SweepOptions;
  #cancel: CancelTimer | undefined;
  #stop: AbortController | undefined;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  /** Twice is once. */
  start(): void {
    if (this.#stop) return;
    this.#stop = new AbortController();
    this.#schedule(this.#stop.signal);
  }

  /** Resolves when no sweep is under way any more. */
  async stop(): Promise<void> {
    this.#stop?.abort();
    this.#stop = undefined;
    this.#cancel?.();
    await this.#sweeping;
  }

  #schedule(signal: AbortSignal): void {
    if (signal.aborted) return;
    const { ports, intervalMs } = this.#options;
    this.#cancel = ports.clock.after(intervalMs * (0.5 + ports.random.float()), () => {
      this.#sweeping = this.#sweep(signal).then(() => this.#schedule(signal));
    });
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { store, ports, logger, batchSize } = this.#options;
    try {
      for (let batch = 0; batch < MAX_BATCHES && !signal.aborted; batch += 1) {
        const expired = await store.sweep(batchSize);
        for (const { id, kind } of expired) logger.info({ sessionId: id, kind }, "session expired");
        if (expired.length < batchSize) return;
        await sleep(ports.clock, 0, signal);
      }
    } catch (err) {
      logger.warn({ err }, "sweep of expired sessions failed; it is tried again at the next interval");
    }
  }
}
