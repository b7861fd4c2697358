/** Of the handlers of one batch, together: so long each of its events waits for the others, and holds what they have locked. */
const AIM_MS = 50;
/** Of the average, what the newest handler counts for. */
const NEWEST = 0.1;

/** How many events may share a transaction: the fewer the slower their handlers, and few for a while after it went wrong. */
export class BatchSize {
  readonly #most: number;
  #limit: number;
  #handlerMs = 0;

  constructor(most: number) {
    this.#most = most;
    this.#limit = Math.min(2, most);
  }

  get now(): number {
    return Math.max(1, Math.min(this.#limit, Math.floor(AIM_MS / this.#handlerMs)));
  }

  /** A handler did. */
  took(ms: number): void {
    this.#handlerMs += (ms - this.#handlerMs) * NEWEST;
  }

  committed(): void {
    this.#limit = Math.min(this.#limit * 2, this.#most);
  }

  undone(): void {
    this.#limit = 1;
  }
}
