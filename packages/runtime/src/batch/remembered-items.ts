import type { KeyedItem } from "../store/batch-store.js";

/** Items that were read ahead, until somebody works their chunk: whoever does so here need not read them again. */
export class RememberedItems {
  readonly #chunks = new Map<number, readonly KeyedItem[]>();
  readonly #most: number;
  #items = 0;

  /** `most`: items of all chunks; what is beyond is read again. */
  constructor(most: number) {
    this.#most = most;
  }

  add(first: number, chunks: readonly (readonly KeyedItem[])[]): void {
    for (const [index, items] of chunks.entries()) {
      this.#chunks.set(first + index, items);
      this.#items += items.length;
    }
    // The oldest first: if they were not taken here by now, others have them.
    for (const [n, items] of this.#chunks) {
      if (this.#items <= this.#most) return;
      this.#chunks.delete(n);
      this.#items -= items.length;
    }
  }

  take(n: number): readonly KeyedItem[] | undefined {
    const items = this.#chunks.get(n);
    if (items === undefined) return undefined;
    this.#chunks.delete(n);
    this.#items -= items.length;
    return items;
  }

  clear(): void {
    this.#chunks.clear();
    this.#items = 0;
  }
}
