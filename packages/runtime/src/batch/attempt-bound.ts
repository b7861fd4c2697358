import { type CancelTimer, type Clock, sleep } from "../ports.js";
import { AttemptAbort } from "../worker/attempt-abort.js";
import type { Ownership } from "./ownership.js";

/** What an attempt that was cut short came to: nobody knows. */
export class Cut {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** A lease that is late is asked about again. */
const UNSURE_MS = 100;

/**
 * Bounds the attempts of one chunk, which come one after the other. One timer serves them all: most attempts are far shorter than their
 * time, and a timer of its own for each would cost more than they do.
 */
export class AttemptBound {
  readonly #clock: Clock;
  readonly #ownership: () => Ownership;
  #deadline = Number.POSITIVE_INFINITY;
  #timeoutMs = 0;
  #abort: AttemptAbort | null = null;
  #cancelTimer: CancelTimer | null = null;
  #timerAt = Number.POSITIVE_INFINITY;
  #cutFor: string | null = null;

  /** `ownership`: of the chunk. */
  constructor(clock: Clock, ownership: () => Ownership) {
    this.#clock = clock;
    this.#ownership = ownership;
  }

  /** All of it was cut short: nothing more is begun. */
  get isCut(): boolean {
    return this.#cutFor !== null;
  }

  /**
   * Asked right before an act is done: a process that was asleep longer than its lease finds out here, and does nothing that its heir may have
   * done otherwise. While nobody knows whose the chunk is it waits: whoever leaves a chunk works it again from its first item.
   */
  mayBegin(): boolean | Promise<boolean> {
    if (this.#cutFor !== null) return false;
    const ownership = this.#ownership();
    if (ownership === "ours") return true;
    if (ownership === "unsure") return this.#onceSure();
    this.cut("this instance no longer owns the chunk");
    return false;
  }

  async #onceSure(): Promise<boolean> {
    await sleep(this.#clock, UNSURE_MS);
    return this.mayBegin();
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

  /** Cuts short what is under way: an attempt that failed, like others. */
  interrupt(reason: string): void {
    this.#abort?.abort(reason);
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
