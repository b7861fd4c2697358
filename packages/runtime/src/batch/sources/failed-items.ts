import type { BatchStore } from "../../store/batch-store.js";
import type { ItemSource } from "../item-source.js";

/** The items of another batch that failed, in the order of their failing. They are kept: that batch may be deleted meanwhile. */
export function failedItemsSource(store: Pick<BatchStore, "failures" | "get">, run: string): ItemSource {
  return {
    description: "failed items",
    isKept: true,
    count: async () => (await store.get(run))?.failed ?? null,
    async read({ after, limit }) {
      const query = { limit: Math.min(limit, 10_000), ...(typeof after === "string" && { cursor: after }) };
      const { items, nextCursor } = await store.failures(run, query);
      return { items: items.map(({ key, item }) => ({ key, item })), next: nextCursor };
    },
  };
}
