/**
 * A step for each item of a list, two at a time: the parcels of an order are booked, and when one of them cannot be, those
 * that were are given back, the last one first. Prints what the journals say.
 */
import { BusinessRefusal, createSagaManager, type JournalRecord, resolveConfig, saga } from "@clean-arch/runtime";
import { createMemoryRunStore } from "@clean-arch/runtime/memory";

type Order = { readonly parcels: readonly { readonly to: string; readonly kilograms: number }[] };

/** Effects by idempotency key, which each item has of its own. */
const booked = new Map<string, string>();

const ship = saga<Order>("ship")
  .step("accept", { run: ({ input }) => ({ parcels: input.parcels.length }) })
  .map("book", {
    over: ({ input }) => input.parcels,
    concurrency: 2,
    run: ({ item, index, idempotencyKey }) => {
      if (item.kilograms > 30) throw new BusinessRefusal(`${item.to} gets ${item.kilograms} kg, and 30 are allowed`);
      booked.set(idempotencyKey, item.to);
      return { label: `${index + 1} to ${item.to}` };
    },
    compensate: ({ forwardKey }) => booked.delete(forwardKey),
  })
  .step("collect", { run: ({ outputs }) => outputs.book.map(({ label }) => label) })
  .build();

const manager = createSagaManager({
  store: createMemoryRunStore(),
  definitions: [ship],
  participants: {},
  config: resolveConfig(),
});
try {
  await manager.open();
  await order("order-1", [2, 4, 8]);
  await order("order-2", [2, 4, 32, 8]);
  console.log(`booked: ${[...booked.values()].join(", ")}`);
} finally {
  await manager.close();
}

async function order(key: string, weights: readonly number[]): Promise<void> {
  const towns = ["Arles", "Bergen", "Cork", "Delft"];
  const parcels = weights.map((kilograms, index) => ({ to: towns[index] ?? "", kilograms }));
  const { id } = await manager.start("ship", { parcels }, { idempotencyKey: key });
  const run = await manager.wait(id, 30_000);
  console.log(`${key}: ${run.status}`);
  for (const row of await manager.journal(id)) console.log(`  ${row.seq}  ${row.records.map(describe).join(", ")}`);
  console.log(`  ${run.error === null ? JSON.stringify(run.output) : run.error.message}`);
}

function describe(record: JournalRecord): string {
  if (record.kind === "dispatched") return `${record.direction} ${record.step}`;
  return "step" in record ? `${record.kind} ${record.step}` : record.kind;
}
