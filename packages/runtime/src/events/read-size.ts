import type { StoredEvent } from "../store/event-store.js";

const FIRST = 32;

/** How many events are read at once: as many as fit into so many bytes, as those before them did. */
export class ReadSize {
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  #limit: number;

  constructor(maxEvents: number, maxBytes: number) {
    this.#maxEvents = maxEvents;
    this.#maxBytes = maxBytes;
    this.#limit = Math.min(FIRST, maxEvents);
  }

  get limit(): number {
    return this.#limit;
  }

  /** After each read. Gives it back in batches of the bytes at most, each of one event or more. */
  split(stored: readonly StoredEvent[]): StoredEvent[][] {
    const batches: StoredEvent[][] = [];
    let [bytes, total] = [0, 0];
    for (const entry of stored) {
      const size = Buffer.byteLength(entry.event.body);
      if (batches.length === 0 || bytes + size > this.#maxBytes) {
        batches.push([]);
        bytes = 0;
      }
      batches.at(-1)?.push(entry);
      bytes += size;
      total += size;
    }
    if (total > this.#maxBytes) this.#limit = Math.max(1, Math.floor(this.#limit / 2));
    else if (stored.length === this.#limit && total < this.#maxBytes / 2)
      this.#limit = Math.min(this.#limit * 2, this.#maxEvents);
    return batches;
  }
}
