import type { Logger } from "../log.js";
import { type CancelTimer, type Ports, sleep } from "../ports.js";
import type { SessionStore } from "../store/session-store.js";
import { LISTENER_WAIT_MS, type SessionAudit } from "./session-audit.js";

/**
 * Tells of expired sessions, then deletes them, in the background. Correctness never waits for it: deadlines are judged at
 * each call. Every instance sweeps, at moments that chance spreads over the interval, so that instances started together do
 * not crowd; the store hands each expired session to one of them, and again to one when it was not settled in time. So a
 * session is settled only when the listener confirmed its event: whoever dies or fails before leaves it to the next. A
 * sweep works in batches with a turn of the event loop between them and gives up its turn after a bounded number. A
 * failing store is logged and tried again at the next interval.
 */
export interface SweepOptions {
  readonly store: SessionStore;
  readonly audit: SessionAudit;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly intervalMs: number;
  readonly batchSize: number;
}

const MAX_BATCHES = 20;

/** Well beyond the listener's wait, so that nobody else is handed what is still being told. */
export const CLAIM_MS = 6 * LISTENER_WAIT_MS;

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

  /** Resolves when no sweep is under way any more. A listener that did not confirm until now is told again, by another. */
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
    const { store, audit, ports, logger, batchSize } = this.#options;
    try {
      for (let batch = 0; batch < MAX_BATCHES && !signal.aborted; batch += 1) {
        const expired = await store.sweep(batchSize, CLAIM_MS);
        if (expired.length > 0) {
          const confirmed = await audit.tellExpired(expired, signal);
          if (confirmed.length > 0) await store.settle(confirmed);
        }
        if (expired.length < batchSize) return;
        await sleep(ports.clock, 0, signal);
      }
    } catch (err) {
      logger.warn({ err }, "sweep of expired sessions failed; it is tried again at the next interval");
    }
  }
}
