import type { Clock } from "../ports.js";

/** What a waiter waits for: any new row of the run, or its end. */
export type RunHint = "change" | "end";

export interface HintWaiter {
  /** Resolves at the hint, after the timeout, or when canceled. Never rejects. */
  readonly happened: Promise<void>;
  /** Ends the waiting; harmless when it is over. */
  cancel(): void;
}

/** Tells waiters in this process that a run changed. A hint only: whoever waits also looks from time to time. */
export class RunNotifier {
  readonly #clock: Clock;
  readonly #waiters: Record<RunHint, Map<string, Set<() => void>>> = { change: new Map(), end: new Map() };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  changed(run: string, ended: boolean): void {
    this.#wake("change", run);
    if (ended) this.#wake("end", run);
  }

  /** Wakes everybody: what they look at next is closed. */
  close(): void {
    for (const byRun of Object.values(this.#waiters)) {
      for (const waiters of [...byRun.values()]) for (const done of [...waiters]) done();
    }
  }

  /** Subscribe before looking at the run, so that nothing in between is missed. */
  wait(run: string, hint: RunHint, timeoutMs: number): HintWaiter {
    const byRun = this.#waiters[hint];
    let resolve: () => void = () => {};
    const happened = new Promise<void>((settle) => {
      resolve = settle;
    });
    const done = (): void => {
      cancelTimer();
      const waiters = byRun.get(run);
      waiters?.delete(done);
      if (waiters?.size === 0) byRun.delete(run);
      resolve();
    };
    const cancelTimer = this.#clock.after(timeoutMs, done);
    const waiters = byRun.get(run) ?? new Set();
    byRun.set(run, waiters.add(done));
    return { happened, cancel: done };
  }

  #wake(hint: RunHint, run: string): void {
    for (const done of [...(this.#waiters[hint].get(run) ?? [])]) done();
  }
}
