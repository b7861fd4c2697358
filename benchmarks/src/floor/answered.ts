/** The answers that the connections of a replay have had, and who waits for more. */
export class Answered {
  /** By connection. */
  readonly #counts: number[];
  #lanes: number;
  #waiting: (() => void)[] = [];

  /** `counts`: those that each has had already. */
  constructor(counts: readonly number[]) {
    this.#counts = [...counts];
    this.#lanes = counts.length;
  }

  /** Resolves once each connection has had so many; or when all connections wait, since then none would ever come. */
  async until(counts: readonly number[]): Promise<void> {
    while (!counts.every((count, lane) => (this.#counts[lane] ?? 0) >= count)) {
      const isLast = this.#waiting.length + 1 >= this.#lanes;
      if (isLast) return this.#wake();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  got(lane: number): void {
    this.#counts[lane] = (this.#counts[lane] ?? 0) + 1;
    this.#wake();
  }

  /** A connection has nothing more to send. */
  leave(): void {
    this.#lanes -= 1;
    if (this.#waiting.length >= this.#lanes) this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
