import type { RunVerb } from "../../saga/manager.js";

/** What operators ask of a run that waits for them. */
export const LEADING = ["resume", "resume", "retry", "retry", "skip", "abandon"] as const;
/** After so many times they abandon it. */
const MAX_LED = 3;

/** Of operators: whoever waits for a signal that nobody sends can be led on for ever, so in the end they give a run up. */
export class Patience {
  readonly #led = new Map<string, number>();

  verbsFor(run: string): readonly RunVerb[] {
    const led = (this.#led.get(run) ?? 0) + 1;
    this.#led.set(run, led);
    return led > MAX_LED ? ["abandon"] : LEADING;
  }
}
