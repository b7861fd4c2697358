import type { Heartbeat } from "./heartbeat.js";

/** Why an attempt is cut short, as the code of its failure. */
export type AbortCode = "timeout" | "lease-lost" | "heartbeat-timeout";

/**
 * Cuts one attempt short: at its timeout, at the run's, or when the run was lost. The `AbortSignal` is made when somebody
 * looks at it: most handlers never do, and it would cost more than all else that an attempt needs.
 */
export class AttemptAbort {
  #controller: AbortController | null = null;
  #reason: string | null = null;
  #code: AbortCode = "timeout";
  #listener: (reason: string, code: AbortCode) => void = nothing;
  /** Called when the attempt is settled by another than its handler, which may go on: nothing bounds it any more. */
  onSettled: () => void = nothing;
  /** Of an attempt that is to give signs of life. */
  heartbeat: Heartbeat | null = null;
  /** Called when the attempt had better stop where it can go on from later: the run is paused, or this instance is to end. */
  onYield: () => void = nothing;

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#reason !== null) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /**
   * Called once, with the reason; at once, if it was cut short already: a handler may bring the run on before it first waits, by a
   * checkpoint, and the run's time may be up.
   */
  set onAbort(listener: (reason: string, code: AbortCode) => void) {
    this.#listener = listener;
    if (this.#reason !== null) listener(this.#reason, this.#code);
  }

  abort(reason: string, code: AbortCode = "timeout"): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    this.#code = code;
    this.#controller?.abort(reason);
    this.#listener(reason, code);
  }
}

function nothing(): void {}
