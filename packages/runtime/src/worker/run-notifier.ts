import type { Clock } from "../ports.js";

/** Tells waiters in this process that a run changed. A hint only: whoever waits also looks from time to time. */
export class RunNotifier {
  readonly #clock: Clock;
  readonly #waiters = new Map<string, Set<() => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  changed(run: string): void {
    const waiters = this.#waiters.get(run);
    this.#waiters.delete(run);
    for (const wake of waiters ?? []) wake();
  }

  /** Wakes everybody: what they look at next is closed. */
  close(): void {
    for (const run of [...this.#waiters.keys()]) this.changed(run);
  }

  /** Resolves at the run's next change, after `timeoutMs`, or when `signal` aborts. Subscribe before looking. */
  next(run: string, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal?.removeEventListener("abort", done);
        const waiters = this.#waiters.get(run);
        waiters?.delete(done);
        if (waiters?.size === 0) this.#waiters.delete(run);
        resolve();
      };
      const cancel = this.#clock.after(timeoutMs, done);
      if (signal?.aborted) return done();
      signal?.addEventListener("abort", done, { once: true });
      const waiters = this.#waiters.get(run) ?? new Set();
      this.#waiters.set(run, waiters.add(done));
    });
  }
}
