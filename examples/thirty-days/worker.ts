/**
 * One process of the trial, on an SQLite file: `worker.js <file> start` starts it and stays; `worker.js <file> finish` goes on with what
 * the file holds, decides when it is asked to, and ends with it. Its trial takes two seconds.
 */
import { appendFileSync } from "node:fs";
import { createSagaManager, resolveConfig } from "@clean-arch/runtime";
import { createSqliteRunStore } from "@clean-arch/runtime/sqlite";
import { trialSaga } from "./trial.js";

const [file = "", what = "start"] = process.argv.slice(2);
const note = (act: string): void => appendFileSync(`${file}.effects`, `${act}\n`);
const manager = createSagaManager({
  store: createSqliteRunStore({ file }),
  definitions: [
    trialSaga(
      { setAside: () => note("set aside"), giveBack: () => note("given back"), ship: () => note("shipped") },
      { trial: "2s", decision: "1h" },
    ),
  ],
  participants: {},
  // A process that is killed is missed after half a second.
  config: resolveConfig({ recovery: { leaseMs: 500 } }),
});
await manager.open();
const { id, replayed } = await manager.start("trial", { sku: "lamp" }, { idempotencyKey: "trial-1" });
console.log(replayed ? "found the trial in the file" : "started the trial");
for await (const { rows, status } of manager.watch(id, new AbortController().signal)) {
  const begun = rows.flatMap(({ records }) => records).filter((record) => record.kind === "suspended");
  for (const { step } of begun) {
    if (step === "trial") console.log("sleeping");
    if (step !== "decision" || what !== "finish") continue;
    console.log("somebody decides");
    await manager.signal(id, "decision", { approved: true, by: "ann" }, { actor: "ann", idempotencyKey: "decision" });
  }
  if (status === "completed") console.log("completed");
}
await manager.close();
