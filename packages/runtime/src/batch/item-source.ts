import type { Json } from "../json.js";

/**
 * Where the items of a batch come from. It is read twice: once ahead, to find where chunks begin and end, and, unless this instance still
 * has what it read, again by whoever works a chunk. So items have a place of their own order, such as a key that grows, never an
 * offset that moves when items before it are done.
 */
export interface ItemSource<Item = Json> {
  /** What it is, for definitions; a part of their version. Default `custom`. */
  readonly description?: string;
  /**
   * Items behind `after`, in the source's order. Throws when it cannot be read: tried again by the batch's policy, and then the batch halts,
   * `source-failed`.
   */
  read(request: ReadItems): ItemPage<Item> | Promise<ItemPage<Item>>;
  /** Items in all, as far as that is known: asked once, for the progress. Null: not known. Default: not known. */
  count?(request: Pick<ReadItems, "input" | "signal">): number | null | Promise<number | null>;
  /** It cannot be read again at a place: its items are kept in the store until they are done. Default false. */
  readonly isKept?: boolean;
}

export interface ReadItems {
  /** A place that `read` gave as `next` or `last`; null: the beginning. */
  readonly after: Json;
  /** Up to and with the item there; null: no end. With it every item between is wanted, those beyond `limit` too. */
  readonly until: Json;
  /** Items wanted, at most; more are taken, up to 10,000. */
  readonly limit: number;
  /** The run's input. */
  readonly input: Json;
  readonly signal: AbortSignal;
}

export interface ItemPage<Item = Json> {
  /** `key`: 1 to 512 characters, unique in the source, the same at each reading: the item's effects are known by it. */
  readonly items: readonly { readonly key: string; readonly item: Item }[];
  /** From where to read on, at most 16 KiB of JSON; null: the source is read to its end. A page may be empty and have a `next`. */
  readonly next: Json;
  /** Of the last page: where its last item lies. Without it the last chunk is read again as the first so many items behind `after`. */
  readonly last?: Json;
}

/** What a source is made for. */
export interface SourceScope {
  readonly runId: string;
  /** The run's input. */
  readonly input: Json;
}
