/** So many at the same time, in the order of arrival. */
export class Slots {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  /** Calls back when one is free, at once if it is. Whoever was called back calls `leave`. */
  enter(entered: () => void): void {
    if (this.#free === 0) return void this.#waiting.push(entered);
    this.#free -= 1;
    entered();
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
