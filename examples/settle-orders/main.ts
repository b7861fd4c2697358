/**
 * A batch: each order of a list is settled, in chunks of ten, two chunks at once. Two orders cannot be settled, which the batch allows; once
 * their cause is mended they are tried again alone. Prints what the batch says.
 */
import { BusinessRefusal, batch, createSagaManager, resolveConfig } from "@clean-arch/runtime";
import { createMemoryRunStore } from "@clean-arch/runtime/memory";

type Order = { readonly id: string; readonly cents: number };

const orders: readonly Order[] = Array.from({ length: 100 }, (_, n) => ({ id: `order-${n}`, cents: 100 * n }));
const blocked = new Set(["order-13", "order-77"]);
/** Effects by idempotency key, which each order has of its own in each run. */
const settled = new Map<string, number>();

const settle = batch("settle", {
  source: { items: orders, key: "id" },
  chunkSize: 10,
  concurrency: 2,
  maxFailures: 5,
  each: ({ item, idempotencyKey }) => {
    if (blocked.has(item.id)) throw new BusinessRefusal(`${item.id} is blocked`, "blocked");
    settled.set(idempotencyKey, item.cents);
  },
});

const manager = createSagaManager({
  store: createMemoryRunStore(),
  definitions: [settle],
  participants: {},
  config: resolveConfig(),
});
try {
  await manager.open();
  const { id } = await manager.start("settle", {}, { idempotencyKey: "night-1" });
  await tell("night-1", id);
  const { items } = await manager.failedItems(id, {});
  for (const { key, error } of items) console.log(`  ${key}: ${error.code}, ${error.message}`);

  blocked.clear();
  const again = await manager.retryFailed(id, { reason: "unblocked", actor: "alice" });
  await tell("again", again.run);
  console.log(`settled: ${settled.size}`);
} finally {
  await manager.close();
}

async function tell(what: string, id: string): Promise<void> {
  const { status, output } = await manager.wait(id, 30_000);
  console.log(`${what}: ${status} ${JSON.stringify(output)}`);
}
