import { SeededRandom } from "../simulation/seeded-random.js";

/**
 * Runs concurrent work in an order drawn from a seed: whatever waits at a `step` goes on one at a time, chosen by
 * chance. The same seed gives the same order, as long as the work itself waits for nothing but steps.
 */
export class Interleaving {
  readonly random: SeededRandom;
  #waiting: (() => void)[] = [];

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  step(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when all the work is done; throws when it waits for something that is no step. */
  async run<T>(work: readonly Promise<T>[]): Promise<PromiseSettledResult<T>[]> {
    let results: PromiseSettledResult<T>[] | undefined;
    const settled = Promise.allSettled(work).then((value) => {
      results = value;
      return value;
    });
    while (!results) {
      await drain();
      if (results) break;
      const [next] = this.#waiting.splice(this.random.below(this.#waiting.length), 1);
      if (!next) throw new Error("expected work to wait at a step, got work that waits for something else");
      next();
    }
    return settled;
  }
}

/** Lets every promise that can settle do so. A chain deeper than this does not occur in the code under test. */
async function drain(): Promise<void> {
  for (let n = 0; n < 50; n += 1) await Promise.resolve();
}
