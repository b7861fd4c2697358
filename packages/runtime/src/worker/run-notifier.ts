import type { RunState } from "../engine/state.js";
import type { JsonObject } from "../json.js";
import type { Clock } from "../ports.js";
import type { RunRow } from "../store/run-store.js";

/** What a waiter waits for: any new row of the run, or its end. */
export type RunHint = "change" | "end";

/** A run that ended in this process, as its last owner knows it and the store has it. */
export interface EndedRun {
  readonly run: RunRow;
  readonly state: RunState;
  readonly context: JsonObject;
}

export interface HintWaiter {
  /** Resolves at the hint, with the run when it ended here, after the timeout, or when canceled. Never rejects. */
  readonly happened: Promise<EndedRun | undefined>;
  /** Ends the waiting; harmless when it is over. */
  cancel(): void;
}

type Wake = (ended?: EndedRun) => void;

/** Tells waiters in this process that a run changed. A hint only: whoever waits also looks from time to time. */
export class RunNotifier {
  readonly #clock: Clock;
  readonly #waiters: Record<RunHint, Map<string, Set<Wake>>> = { change: new Map(), end: new Map() };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  changed(run: string): void {
    this.#wake("change", run);
  }

  ended(ended: EndedRun): void {
    this.#wake("change", ended.run.id);
    this.#wake("end", ended.run.id, ended);
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
    let resolve: Wake = () => {};
    const happened = new Promise<EndedRun | undefined>((settle) => {
      resolve = settle;
    });
    const done = (ended?: EndedRun): void => {
      cancelTimer();
      const waiters = byRun.get(run);
      waiters?.delete(done);
      if (waiters?.size === 0) byRun.delete(run);
      resolve(ended);
    };
    const cancelTimer = this.#clock.after(timeoutMs, () => done());
    const waiters = byRun.get(run) ?? new Set();
    byRun.set(run, waiters.add(done));
    return { happened, cancel: () => done() };
  }

  #wake(hint: RunHint, run: string, ended?: EndedRun): void {
    const waiters = this.#waiters[hint].get(run);
    if (waiters !== undefined) for (const done of [...waiters]) done(ended);
  }
}
