import { SeededRandom } from "../simulation/seeded-random.js";

/**
 * Requests that overlap, in an order drawn from a seed. One of them runs at a time, up to its next `step` or its end, and chance says
 * which goes on, or begins, then. Nothing is waited for but that, so sockets may lie between: the same seed gives the same order.
 */
export class RequestInterleaving {
  readonly #random: SeededRandom;
  /** What may go on. */
  #ready: (() => void)[] = [];
  #paused: (() => void) | undefined;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  /** Stops the one that runs until it is its turn again. */
  step(): Promise<void> {
    return new Promise((resolve) => {
      this.#ready.push(resolve);
      this.#paused?.();
    });
  }

  async run<Results extends readonly unknown[]>(
    ...work: { [N in keyof Results]: () => Promise<Results[N]> }
  ): Promise<Results> {
    const results: unknown[] = [];
    for (const [n, begin] of work.entries()) {
      this.#ready.push(() => {
        begin().then(
          (result) => {
            results[n] = result;
            this.#paused?.();
          },
          (error: unknown) => this.#fail(error),
        );
      });
    }
    while (this.#ready.length > 0) {
      await new Promise<void>((paused, failed) => {
        this.#paused = paused;
        this.#fail = failed;
        const [next] = this.#ready.splice(this.#random.below(this.#ready.length), 1);
        next?.();
      });
    }
    return results as unknown as Results;
  }

  #fail: (error: unknown) => void = () => undefined;
}
