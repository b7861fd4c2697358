import { Draws, drawn } from "../seeded.js";

export interface PagedSourceOptions {
  readonly seed: number;
  /** Items of a run, at least and at most. */
  readonly least: number;
  readonly most: number;
}

export interface Page {
  readonly items: readonly { readonly id: string; readonly number: number }[];
  readonly next_cursor: string | null;
}

/** Of the requests for pages, those that go wrong. */
const WRONG = 0.08;

/** Items for batches, in pages; each run has as many as its id draws, and finds the same ones whenever it looks. */
export class PagedSource {
  readonly #options: PagedSourceOptions;
  #requests = 0;

  constructor(options: PagedSourceOptions) {
    this.#options = options;
  }

  /** Ids of all items of a run, in order. */
  itemsOf(run: string): string[] {
    const { seed, least, most } = this.#options;
    const count = Math.floor(least + drawn(seed, "items", run) * (most + 1 - least));
    return Array.from({ length: count }, (_, index) => `item-${index + 1}`);
  }

  /** What is asked for, or the status of a service that is unwell: never once all is calm. */
  answer(
    run: string,
    asked: { readonly cursor?: unknown; readonly limit?: unknown },
    calm: boolean,
  ): { readonly status: 200 | 500 | 503; readonly page: Page } {
    this.#requests += 1;
    const draws = new Draws(this.#options.seed, "page", run, this.#requests);
    if (!calm && draws.chance(WRONG)) return { status: draws.pick([500, 503]), page: { items: [], next_cursor: null } };
    const ids = this.itemsOf(run);
    const from = typeof asked.cursor === "string" ? Number(asked.cursor) : 0;
    const to = Math.min(ids.length, from + (typeof asked.limit === "number" ? asked.limit : 50));
    const items = ids.slice(from, to).map((id, index) => ({ id, number: from + index + 1 }));
    return { status: 200, page: { items, next_cursor: to < ids.length ? String(to) : null } };
  }
}
