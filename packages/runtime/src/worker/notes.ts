import type { JournalRecord } from "../engine/records.js";

/**
 * What the attempts of a run have to say to its journal while they are under way, and their being told when it is there. All that is said in one turn
 * rides in one row, and what is offered in any row that is written anyway.
 */
export class Notes {
  readonly #advance: () => void;
  readonly #listeners = new Set<() => void>();
  #waiting: JournalRecord[] = [];
  /** By step: the newest counts. */
  readonly #offered = new Map<string, JournalRecord>();
  #isAsked = false;

  /** `advance`: the run may go on. */
  constructor(advance: () => void) {
    this.#advance = advance;
  }

  add(record: JournalRecord): void {
    this.put(record);
    this.#ask();
  }

  /** Something else brings the run on, and this with it. */
  put(record: JournalRecord): void {
    this.#waiting.push(record);
  }

  offer(step: string, record: JournalRecord): void {
    this.#offered.set(step, record);
  }

  /** Nobody wants any more what is offered of the step. */
  drop(step: string): void {
    this.#offered.delete(step);
  }

  /** What is offered has waited for long enough. */
  insist(): void {
    this.#waiting.push(...this.offered());
    if (this.#waiting.length > 0) this.#ask();
  }

  take(): readonly JournalRecord[] {
    if (this.#waiting.length === 0) return NONE;
    return this.#waiting.splice(0);
  }

  /** Taken only by a row that is written anyway. */
  offered(): readonly JournalRecord[] {
    if (this.#offered.size === 0) return NONE;
    const offered = [...this.#offered.values()];
    this.#offered.clear();
    return offered;
  }

  /** Called whenever the run's state is what its journal says, and something is new. Gives what ends that. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** All that was taken is in the journal. */
  written(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    queueMicrotask(() => {
      this.#isAsked = false;
      this.#advance();
    });
  }
}

const NONE: readonly JournalRecord[] = [];
