import type { Json } from "../../json.js";
import type { ItemSource } from "../item-source.js";
import { keyOf } from "./item-key.js";

/** Items that are there already. A place is the index behind an item. */
export function listSource<Item extends Json>(items: readonly Item[], key?: string): ItemSource<Item> {
  return {
    description: "items",
    count: () => items.length,
    read({ after, until, limit }) {
      const from = typeof after === "number" ? after : 0;
      const to = typeof until === "number" ? until : Math.min(from + limit, items.length);
      const page = items.slice(from, to).map((item, index) => ({ key: keyOf(item, key, String(from + index)), item }));
      return { items: page, next: to < items.length ? to : null, last: to };
    },
  };
}
