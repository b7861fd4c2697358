import type { RunState } from "../engine/state.js";
import type { Json } from "../json.js";
import type { AttemptAbort } from "./attempt-abort.js";

/** The attempts of one run that are under way, by step. There is nearly always one, which needs no map. */
export class UnderWay {
  #step: string | null = null;
  #abort: AttemptAbort | null = null;
  #others: Map<string, AttemptAbort> | null = null;

  add(step: string, abort: AttemptAbort): void {
    if (this.#step === null || this.#step === step) {
      this.#step = step;
      this.#abort = abort;
      this.#others?.delete(step);
      return;
    }
    this.#others ??= new Map();
    this.#others.set(step, abort);
  }

  /** False: it is not, or no longer, the step's attempt. */
  end(step: string, abort: AttemptAbort): boolean {
    if (this.#step !== step) return this.#others?.get(step) === abort && this.#others.delete(step);
    if (this.#abort !== abort) return false;
    this.#step = null;
    this.#abort = null;
    return true;
  }

  /** What was decided: those steps are cut short, and what can make way for an operator does. */
  follow(abort: readonly string[], { unwind, paused }: RunState): void {
    for (const step of abort) this.#abortOne(step, unwind?.error.message ?? "the run's time is up");
    if (paused) this.yieldAll();
  }

  /** The run is lost. */
  abortAll(reason: string): void {
    this.#abort?.abort(reason, "lease-lost");
    for (const abort of this.#others?.values() ?? []) abort.abort(reason, "lease-lost");
  }

  /** False: it is not, or no longer, under way. */
  beat(step: string, attempt: number, details: Json | undefined): boolean {
    const abort = this.#step === step ? this.#abort : this.#others?.get(step);
    const heartbeat = abort?.heartbeat ?? null;
    if (heartbeat === null || !heartbeat.isOf(attempt)) return false;
    heartbeat.beat(details);
    return true;
  }

  /** Those that can go on from where they are may stop. */
  yieldAll(): void {
    this.#abort?.onYield();
    for (const abort of this.#others?.values() ?? []) abort.onYield();
  }

  #abortOne(step: string, reason: string): void {
    if (this.#step === step) this.#abort?.abort(reason);
    else this.#others?.get(step)?.abort(reason);
  }
}
