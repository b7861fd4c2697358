/** The answers that the connections of a replay get, and who waits for the next one. */
export class Answered {
  #count = 0;
  #lanes: number;
  #waiting: (() => void)[] = [];

  constructor(lanes: number) {
    this.#lanes = lanes;
  }

  /** So far, on all connections. */
  get count(): number {
    return this.#count;
  }

  /** Resolves once there were more than `count` answers; or when all connections wait, since then none would ever come. */
  async after(count: number): Promise<void> {
    if (this.#count > count) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      this.#wakeIfAllWait();
    });
  }

  got(): void {
    this.#count += 1;
    this.#wake();
  }

  /** A connection has nothing more to send. */
  leave(): void {
    this.#lanes -= 1;
    this.#wakeIfAllWait();
  }

  #wakeIfAllWait(): void {
    if (this.#waiting.length >= this.#lanes) this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
