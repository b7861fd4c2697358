import { afterEach, beforeEach, expect, it } from "vitest";
import { saga } from "../saga/builder.js";
import type { Append, CreateRun, RunStore } from "../store/run-store.js";
import { SagaBench } from "../testing/saga-bench.test.support.js";
import { unitRunId } from "./unit-entry.js";

/** What an instance does about events that it wrote itself, before they come back. */

let bench: SagaBench;
beforeEach(async () => {
  bench = await SagaBench.create("memory");
});
afterEach(() => bench.close());

const done: string[] = [];
beforeEach(() => void done.splice(0));
const stage = (name: string) => ({ run: () => void done.push(name) });
const definition = saga("s", { style: "choreography" })
  .step("a", stage("a"))
  .step("b", stage("b"))
  .step("c", stage("c"))
  .build();

/** The store of an instance, some of whose calls fail. */
function failing(fault: Partial<Pick<RunStore, "append" | "create">>): RunStore {
  const store = bench.store();
  return new Proxy(store, {
    get: (of, name: keyof RunStore) => {
      const value = name in fault ? fault[name as keyof typeof fault] : of[name];
      return typeof value === "function" ? value.bind(of) : value;
    },
  });
}

it("a stage begins in the write that creates its run, and the main run hears of several in one row", async () => {
  const manager = await bench.open([definition]);
  const { id } = await bench.toEnd(manager, "s");
  for (const name of ["a", "b", "c"]) {
    const rows = await manager.journal(unitRunId(id, name));
    expect(rows.map(({ records }) => records.map(({ kind }) => kind))).toEqual([
      ["entered", "dispatched"],
      ["completed", "finished"],
    ]);
  }
  expect(await manager.journal(id)).toHaveLength(2);
});

it("what the main run was told in passing comes to its inbox when its row was not written", async () => {
  let lost = 0;
  const real = bench.store();
  const store = failing({
    append: async (appends: readonly Append[]) => {
      const isOfMain = ({ records }: Append): boolean =>
        records.some((record) => record.kind === "completed") && !records.some(({ kind }) => kind === "finished");
      const isLast = ({ records }: Append): boolean => records.filter(({ kind }) => kind === "completed").length > 1;
      if (!appends.some((append) => isOfMain(append) || isLast(append)) || lost > 0) return real.append(appends);
      lost += 1;
      return appends.map(() => ({ kind: "lease-lost" as const }));
    },
  });
  await real.open();
  const manager = await bench.open([definition], {}, { store });
  const run = await bench.toEnd(manager, "s");
  expect(lost).toBe(1);
  expect(run.status).toBe("completed");
  expect(run.steps.map(({ status }) => status)).toEqual(["completed", "completed", "completed"]);
  expect(done).toEqual(["a", "b", "c"]);
});

it("an event to which there was no reaction at once is reacted to as it comes", async () => {
  let failed = 0;
  const real = bench.store();
  const store = failing({
    create: (runs: readonly CreateRun[]) => {
      if (!runs.some((run) => run.definition === "s.b") || failed > 0) return real.create(runs);
      failed += 1;
      return Promise.reject(new Error("out of memory"));
    },
  });
  await real.open();
  const manager = await bench.open([definition], {}, { store });
  expect((await bench.toEnd(manager, "s")).status).toBe("completed");
  expect(failed).toBe(1);
  expect(done).toEqual(["a", "b", "c"]);
});
