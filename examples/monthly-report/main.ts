/**
 * A task that is a function: it collects numbers, waits for somebody's approval, and publishes. In the middle its process is replaced by
 * another one, which goes on from the last checkpoint. Prints what was done, and what the journal says.
 */
import { createSagaManager, type JournalRecord, resolveConfig, task } from "@clean-arch/runtime";
import { createMemoryRunStore, createMemoryWorld } from "@clean-arch/runtime/memory";

type Month = { readonly month: string; readonly shops: readonly string[] };

const done: string[] = [];
const sales: Readonly<Record<string, number>> = { Arles: 120, Bergen: 80 };

const report = task<Month>(
  "monthly-report",
  async ({ input, checkpoint, progress, waitFor, idempotencyKey }) => {
    let total = 0;
    for (const [index, shop] of input.shops.entries()) {
      // Saved under its name: when the function is run again, the number comes from the journal.
      total += await checkpoint(`sales of ${shop}`, () => {
        done.push(`asked ${shop}`);
        return sales[shop] ?? 0;
      });
      progress({ shops: index + 1, of: input.shops.length });
    }
    // A long wait costs nothing: the function is run again from its start when the signal comes.
    const approval = await waitFor("approved", { timeout: "48h" });
    if (approval === undefined) return { published: false };
    await checkpoint("publish", () => done.push(`published ${total} under ${idempotencyKey("publish").split(":")[1]}`));
    return { published: true, total };
  },
  { timeout: "72h" },
);

const world = createMemoryWorld();
const open = async () => {
  const store = createMemoryRunStore({ world });
  const manager = createSagaManager({ store, definitions: [report], participants: {}, config: resolveConfig() });
  await manager.open();
  return manager;
};

const first = await open();
const { id } = await first.start("monthly-report", { month: "2026-01", shops: ["Arles", "Bergen"] });
for await (const { status } of first.watch(id, new AbortController().signal)) if (status === "waiting") break;
const { status, progress } = await first.get(id);
console.log(`${status}, ${JSON.stringify(progress)}`);
await first.close();

const second = await open();
await second.signal(id, "approved", { by: "ann" }, { actor: "ann" });
const run = await second.wait(id, 30_000);
console.log(`${run.status}, ${JSON.stringify(run.output)}`);
console.log(done.join("\n"));
for (const row of await second.journal(id)) console.log(`  ${row.seq}  ${row.records.map(describe).join(", ")}`);
await second.close();

function describe(record: JournalRecord): string {
  return "name" in record ? `${record.kind} "${record.name}"` : record.kind;
}
