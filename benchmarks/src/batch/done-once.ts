/** Which of a known number of items were done, and that none was done twice: without a failure each is done once. */
export class DoneOnce {
  readonly #seen: Uint8Array;
  #done = 0;

  constructor(items: number) {
    this.#seen = new Uint8Array(items);
  }

  get done(): number {
    return this.#done;
  }

  item(n: number): void {
    const seen = this.#seen[n];
    if (seen === undefined) throw new Error(`expected one of ${this.#seen.length} items, got item ${n}`);
    if (seen === 1) throw new Error(`expected each item once, got item ${n} again`);
    this.#seen[n] = 1;
    this.#done += 1;
  }

  /** Throws unless all were done. */
  check(): void {
    if (this.#done === this.#seen.length) return;
    throw new Error(`expected ${this.#seen.length} items to be done, got ${this.#done}`);
  }
}
