import type { RunState } from "../engine/state.js";
import type { JsonObject } from "../json.js";
import type { Clock } from "../ports.js";
import type { RunRow } from "../store/run-store.js";

/** A run that ended in this process, as its last owner knows it and the store has it. */
export interface EndedRun {
  readonly run: RunRow;
  readonly state: RunState;
  readonly context: JsonObject;
}

export interface HintWaiter {
  /** Resolves at the hint, after the timeout, or when canceled. Never rejects. */
  readonly happened: Promise<void>;
  /** Ends the waiting; harmless when it is over. */
  cancel(): void;
}

/** Tells of runs that changed in this process. A hint only: whoever waits also looks from time to time. */
export class RunNotifier {
  readonly #clock: Clock;
  readonly #waiters = new Map<string, Set<() => void>>();
  #onEnd: (run: string, ended: () => EndedRun) => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Who is told of every run that ends here; how it ended is made on demand, at once. */
  onEnd(listener: (run: string, ended: () => EndedRun) => void): void {
    this.#onEnd = listener;
  }

  /** A row of the run was written. */
  changed(run: string): void {
    const waiters = this.#waiters.get(run);
    if (waiters !== undefined) for (const wake of [...waiters]) wake();
  }

  ended(run: string, ended: () => EndedRun): void {
    this.changed(run);
    this.#onEnd(run, ended);
  }

  /** Wakes everybody: what they look at next is closed. */
  close(): void {
    for (const run of [...this.#waiters.keys()]) this.changed(run);
  }

  /** For the run's next row. Subscribe before looking at the run, so that nothing in between is missed. */
  wait(run: string, timeoutMs: number): HintWaiter {
    let resolve: () => void = () => {};
    const happened = new Promise<void>((settle) => {
      resolve = settle;
    });
    const wake = (): void => {
      cancelTimer();
      const waiters = this.#waiters.get(run);
      waiters?.delete(wake);
      if (waiters?.size === 0) this.#waiters.delete(run);
      resolve();
    };
    const cancelTimer = this.#clock.after(timeoutMs, wake);
    const waiters = this.#waiters.get(run) ?? new Set();
    this.#waiters.set(run, waiters.add(wake));
    return { happened, cancel: wake };
  }
}
