/** Of the handlers of one batch, together, at most: so long its events wait for each other, and keep what they have locked. */
const MOST_MS = 50;
/** So long they may do so rather than be shared out among transactions that are free: each of those costs a commit. */
const WORTH_MS = 10;
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

  /** Of those that wait, with so many transactions free. */
  of(waiting: number, free: number): number {
    const share = Math.max(Math.ceil(waiting / free), this.#within(WORTH_MS));
    return Math.max(1, Math.min(share, this.#limit, this.#within(MOST_MS)));
  }

  /** A handler did. */
  took(ms: number): void {
    this.#handlerMs += (ms - this.#handlerMs) * NEWEST;
  }

  /** A transaction was, of one event or more. */
  committed(): void {
    this.#limit = Math.min(this.#limit * 2, this.#most);
  }

  undone(): void {
    this.#limit = 1;
  }

  #within(ms: number): number {
    return Math.floor(ms / this.#handlerMs);
  }
}
