/**
 * The runtime alone, without a generator and without a server: two orders on one SQLite file. The first one ships; the
 * card of the second one is declined, so its stock is given back. Prints what the journals say.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSagaManager, type JournalRecord, resolveConfig } from "@clean-arch/runtime";
import { createSqliteRunStore } from "@clean-arch/runtime/sqlite";
import { charged, type Order, placeOrder, reserved } from "./order-saga.js";

const folder = await mkdtemp(join(tmpdir(), "place-order-"));
const manager = createSagaManager({
  store: createSqliteRunStore({ file: join(folder, "runs.db") }),
  definitions: [placeOrder],
  participants: {},
  config: resolveConfig(),
});
try {
  await manager.open();
  await order("order-1", { sku: "lamp", quantity: 2, cents: 9_900 });
  await order("order-2", { sku: "desk", quantity: 1, cents: 24_900 });
  console.log(`reserved: ${reserved.size}, charged: ${charged.size}`);
} finally {
  await manager.close();
  await rm(folder, { recursive: true });
}

/** Starts a run (the same key again would give the same run), waits for its end and prints its timeline. */
async function order(key: string, input: Order): Promise<void> {
  const { id } = await manager.start("place-order", input, { idempotencyKey: key });
  const run = await manager.wait(id, 30_000);
  console.log(`${key}: ${run.status}`);
  for (const row of await manager.journal(id)) {
    console.log(`  ${row.seq}  ${row.records.map(describe).join(", ")}`);
  }
  console.log(`  ${run.error === null ? JSON.stringify(run.output) : `${run.error.code}: ${run.error.message}`}`);
}

function describe(record: JournalRecord): string {
  if (record.kind === "dispatched") return `${record.direction} ${record.step}`;
  return "step" in record ? `${record.kind} ${record.step}` : record.kind;
}
