import type { ManualClock } from "../../testing/manual-clock.js";
import type { SeededRandom } from "../seeded-random.js";
import type { SentCall } from "./call-watch.js";
import type { Faults } from "./faults.js";
import type { ProcessClock } from "./process-clock.js";

export interface PoisonOptions {
  readonly clock: ManualClock;
  readonly random: SeededRandom;
  readonly faults: Faults;
  /** The run kills the process. */
  readonly kill: (process: string, run: string) => void;
}

/** Runs that kill the process that advances them, at one of their steps, until there is calm: somebody has mended them. */
export class Poison {
  readonly #options: PoisonOptions;
  readonly #rate: number;
  /** What was drawn, by run and step. */
  readonly #drawn = new Map<string, boolean>();

  constructor(options: PoisonOptions) {
    this.#options = options;
    this.#rate = options.random.chance(0.5) ? 0 : options.random.float() * 0.3;
  }

  /** True: the call never ends, and soon neither does anything else of the process, unless it gives the run up before. */
  strikes(name: string, process: ProcessClock, call: SentCall): boolean {
    const { clock, random, faults, kill } = this.#options;
    const key = `${call.runId} ${call.stage}`;
    const poisoned = this.#drawn.get(key) ?? random.chance(this.#rate);
    this.#drawn.set(key, poisoned);
    if (!poisoned || faults.isCalm) return false;
    clock.after(random.below(60), () =>
      process.enter(() => {
        if (!call.signal.aborted && !faults.isCalm) kill(name, call.runId);
      }),
    );
    return true;
  }
}
