import type { CancelTimer, Clock } from "../ports.js";
import { AttemptAbort } from "../worker/attempt-abort.js";

/** What an attempt that was cut short came to: nobody knows. */
export class Cut {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/**
 * Bounds the attempts of one chunk, which come one after the other. One timer serves them all: most attempts are far shorter than their
 * time, and a timer of its own for each would cost more than they do.
 */
export class AttemptBound {
  readonly #clock: Clock;
  #deadline = Number.POSITIVE_INFINITY;
  #timeoutMs = 0;
  #abort: AttemptAbort | null = null;
  #cancelTimer: CancelTimer | null = null;
  #timerAt = Number.POSITIVE_INFINITY;
  #cutFor: string | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** All of it was cut short: nothing more is begun. */
  get isCut(): boolean {
    return this.#cutFor !== null;
  }

  /** Begins an attempt. */
  begin(): AttemptAbort {
    const abort = new AttemptAbort();
    this.#abort = abort;
    if (this.#cutFor !== null) abort.abort(this.#cutFor);
    return abort;
  }

  /** What the attempt comes to, or that it was cut short: at its time, or by `cut`. */
  wait<Value>(answer: PromiseLike<Value>, abort: AttemptAbort, timeoutMs: number): Promise<Value | Cut> {
    this.#deadline = this.#clock.monotonic() + timeoutMs;
    this.#timeoutMs = timeoutMs;
    if (this.#deadline < this.#timerAt) this.#arm();
    return new Promise((resolve, reject) => {
      abort.onAbort = (reason) => resolve(new Cut(reason));
      answer.then(resolve, reject);
    });
  }

  /** The attempt has come to its end. */
  end(): void {
    this.#abort = null;
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  /** Cuts short what is under way, and all that follows. */
  cut(reason: string): void {
    this.#cutFor ??= reason;
    this.#abort?.abort(this.#cutFor);
  }

  close(): void {
    this.#cancelTimer?.();
    this.end();
  }

  #arm(): void {
    this.#cancelTimer?.();
    // The timer outlives its attempt: the next one's deadline is later, most often by little.
    this.#timerAt = this.#deadline;
    this.#cancelTimer = this.#clock.after(Math.max(0, this.#deadline - this.#clock.monotonic()), () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      if (this.#deadline <= this.#clock.monotonic()) this.#abort?.abort(`no answer within ${this.#timeoutMs} ms`);
      else if (this.#deadline !== Number.POSITIVE_INFINITY) this.#arm();
    });
  }
}
