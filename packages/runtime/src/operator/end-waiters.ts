import { RuntimeError } from "../errors.js";
import type { CancelTimer, Clock } from "../ports.js";
import type { RunView } from "./views.js";

export interface EndWaitersOptions {
  readonly clock: Clock;
  /** Whether this process drives the run now, and will tell of its end. */
  readonly drives: (run: string) => boolean;
  /** The run as the store has it. */
  readonly read: (run: string) => Promise<{ readonly ended: boolean; readonly view: () => Promise<RunView> }>;
}

interface Waiter {
  /** By the monotonic clock, ms. */
  readonly deadline: number;
  readonly resolve: (view: RunView) => void;
  readonly reject: (error: unknown) => void;
}

/** How often the store is asked for runs that this process does not drive. */
const LOOK_MS = 500;
const LOOKS_AT_ONCE = 20;

/**
 * Who waits for runs to end. One timer and one look at a run serve all its waiters, so that a thousand of them cost the store no
 * more than one; of a run driven here they are told, and nothing is read.
 */
export class EndWaiters {
  readonly #options: EndWaitersOptions;
  readonly #waiting = new Map<string, Waiter[]>();
  /** Runs being looked at; true: somebody came meanwhile, who may want another look. */
  readonly #looking = new Map<string, boolean>();
  #isLookingAround = false;
  #timerAt = Number.POSITIVE_INFINITY;
  #cancelTimer: CancelTimer = () => {};
  #closed = false;

  constructor(options: EndWaitersOptions) {
    this.#options = options;
  }

  /** The run once it ended, or its view after `timeoutMs`. Rejects with what a look at it rejects with. */
  wait(run: string, timeoutMs: number): Promise<RunView> {
    if (this.#closed) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      const now = this.#options.clock.monotonic();
      const waiter = { deadline: now + timeoutMs, resolve, reject };
      const others = this.#waiting.get(run);
      if (others === undefined) this.#waiting.set(run, [waiter]);
      else others.push(waiter);
      if (timeoutMs <= 0 || !this.#options.drives(run)) void this.#look(run);
      this.#arm(now + Math.max(0, Math.min(timeoutMs, LOOK_MS)));
    });
  }

  has(run: string): boolean {
    return this.#waiting.has(run);
  }

  /** The run ended in this process; how, is in the store. */
  look(run: string): void {
    void this.#look(run);
  }

  /** The run ended in this process, and this is how. */
  ended(run: string, view: RunView): void {
    for (const { resolve } of this.#take(run)) resolve(view);
  }

  /** Nobody will tell any more. */
  close(): void {
    this.#closed = true;
    for (const run of [...this.#waiting.keys()]) this.#fail(run, closed());
  }

  #arm(at: number): void {
    if (at >= this.#timerAt || this.#closed) return;
    this.#cancelTimer();
    this.#timerAt = at;
    this.#cancelTimer = this.#options.clock.after(at - this.#options.clock.monotonic(), () => this.#lookAround());
  }

  #lookAround(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#options.clock.monotonic();
    let next = now + LOOK_MS;
    const elsewhere: string[] = [];
    for (const [run, waiters] of this.#waiting) {
      let isLate = false;
      for (const { deadline } of waiters) {
        if (deadline <= now) isLate = true;
        else if (deadline < next) next = deadline;
      }
      if (isLate) void this.#look(run);
      else if (!this.#options.drives(run)) elsewhere.push(run);
    }
    if (elsewhere.length > 0) void this.#lookAtAll(elsewhere);
    if (this.#waiting.size > 0) this.#arm(next);
  }

  /** So many at a time, for others want to read as well; a round that takes longer than it should delays the next one. */
  async #lookAtAll(runs: readonly string[]): Promise<void> {
    if (this.#isLookingAround) return;
    this.#isLookingAround = true;
    for (let from = 0; from < runs.length; from += LOOKS_AT_ONCE)
      await Promise.all(runs.slice(from, from + LOOKS_AT_ONCE).map((run) => this.#waiting.has(run) && this.#look(run)));
    this.#isLookingAround = false;
  }

  /** A run is looked at once at a time. */
  async #look(run: string): Promise<void> {
    if (this.#looking.has(run)) return void this.#looking.set(run, true);
    this.#looking.set(run, false);
    await this.#answer(run).catch((error: unknown) => this.#fail(run, error));
    const again = this.#looking.get(run) === true;
    this.#looking.delete(run);
    if (again && this.#waiting.has(run)) void this.#look(run);
  }

  /** All waiters of a run that ended, else those whose time is up. */
  async #answer(run: string): Promise<void> {
    const now = this.#options.clock.monotonic();
    const { ended, view } = await this.#options.read(run);
    const answered = new Set((this.#waiting.get(run) ?? []).filter(({ deadline }) => ended || deadline <= now));
    if (answered.size === 0) return;
    const known = await view();
    for (const { resolve } of answered) resolve(known);
    const left = (this.#waiting.get(run) ?? []).filter((waiter) => !answered.has(waiter));
    if (left.length > 0) this.#waiting.set(run, left);
    else this.#take(run);
  }

  #fail(run: string, error: unknown): void {
    for (const { reject } of this.#take(run)) reject(error);
  }

  /** Nothing of the run is waited for any more; when nothing at all is, no timer stays behind. */
  #take(run: string): readonly Waiter[] {
    const waiters = this.#waiting.get(run) ?? [];
    this.#waiting.delete(run);
    if (this.#waiting.size > 0) return waiters;
    this.#cancelTimer();
    this.#timerAt = Number.POSITIVE_INFINITY;
    return waiters;
  }
}

function closed(): RuntimeError {
  return new RuntimeError("runtime-stopped", "expected an open runtime to wait for a run, got one that was closed");
}
