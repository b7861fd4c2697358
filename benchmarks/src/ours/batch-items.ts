import { batch, createSagaManager, type ItemSource, resolveConfig } from "@clean-arch/runtime";
import { createPostgresRunStore } from "@clean-arch/runtime/postgres";
import { nothing, serveBatches } from "../batch/contender.js";
import { DoneOnce } from "../batch/done-once.js";
import { AT_ONCE, CHUNK } from "../batch/scenarios.js";

/**
 * Ours on PostgreSQL with the settings that it has by default; synchronous_commit=on. As many chunks at once as BullMQ has jobs. The source makes its items
 * when it is read, as a database would hand them over a page at a time; their place is the number of the last one.
 */
const WAIT_MS = 600_000;

serveBatches(async ({ databaseUrl }) => {
  let done = new DoneOnce(0);
  let items = 0;
  const source: ItemSource = {
    read: async ({ after, until, limit }) => {
      const from = after === null ? 0 : Number(after);
      const to = Math.min(items, from + limit, until === null ? items : Number(until));
      const page = Array.from({ length: to - from }, (_, at) => ({ key: `${from + at}`, item: from + at }));
      return { items: page, next: to === items ? null : to };
    },
  };
  const work = batch("items", {
    ...{ source, chunkSize: CHUNK, concurrency: AT_ONCE, timeout: "1h" },
    each: async ({ item }) => {
      await nothing();
      done.item(Number(item));
    },
  });
  const store = createPostgresRunStore({ url: databaseUrl });
  const manager = createSagaManager({ store, definitions: [work], participants: {}, config: resolveConfig() });
  await manager.open();
  return {
    measure: async (scenario) => {
      if (scenario.kind !== "items") throw new Error(`expected a scenario of items, got ${scenario.name}`);
      items = scenario.items.all;
      done = new DoneOnce(items);
      const begin = performance.now();
      const { id } = await manager.start("items", {});
      const { status, error } = await manager.wait(id, WAIT_MS);
      const wallMs = performance.now() - begin;
      if (status !== "completed")
        throw new Error(`expected the batch to be completed, got ${status}: ${error?.message}`);
      done.check();
      return { itemsPerS: (items / wallMs) * 1_000 };
    },
    close: () => manager.close(),
  };
});
