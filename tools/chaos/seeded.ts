/** Chance that can be had again: what a number is depends on nothing but what it was drawn for. */

/** A number in [0, 1), the same for the same parts. */
export function drawn(...parts: readonly (string | number)[]): number {
  // FNV-1a over the text, then the finalizer of mulberry32: enough to make neighboring keys differ.
  let hash = 0x811c9dc5;
  for (const unit of parts.join(" ")) hash = Math.imul(hash ^ (unit.codePointAt(0) ?? 0), 0x01000193);
  let mixed = Math.imul(hash ^ (hash >>> 15), hash | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

/** A stream of draws for one purpose: streams of other purposes do not disturb it. */
export class Draws {
  readonly #purpose: string;
  #count = 0;

  constructor(...purpose: readonly (string | number)[]) {
    this.#purpose = purpose.join(" ");
  }

  float(): number {
    this.#count += 1;
    return drawn(this.#purpose, this.#count);
  }

  /** From `least` up to, and without, `most`. */
  between(least: number, most: number): number {
    return least + this.float() * (most - least);
  }

  chance(probability: number): boolean {
    return this.float() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.float() * items.length)];
    if (item === undefined) throw new Error("expected something to pick from, got an empty list");
    return item;
  }
}
