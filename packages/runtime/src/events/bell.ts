import { type Clock, sleep } from "../ports.js";

/** Wakes a loop that waits for work. One that rings while nobody waits is heard by the next who would. */
export class Bell {
  #rung = false;
  #wake: AbortController | null = null;

  ring(): void {
    this.#rung = true;
    this.#wake?.abort();
  }

  /** Resolves when it rings, at `signal`, or after `maxMs`. One waits at a time. */
  async wait(clock: Clock, maxMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      const wake = new AbortController();
      const stop = (): void => wake.abort();
      this.#wake = wake;
      signal.addEventListener("abort", stop, { once: true });
      await sleep(clock, maxMs, wake.signal);
      signal.removeEventListener("abort", stop);
      this.#wake = null;
    }
    this.#rung = false;
  }
}
