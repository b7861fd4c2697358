import { expect, it } from "vitest";
import { resolveConfig } from "../config.js";
import { systemPorts } from "../ports.js";
import { saga } from "../saga/builder.js";
import { Registry } from "../saga/registry.js";
import { createSagaManager } from "../saga/saga-manager.js";
import type { RunStore } from "../store/run-store.js";
import { createMemoryRunStore } from "../stores/memory/index.js";
import { RunNotifier } from "../worker/run-notifier.js";
import { RunQueries } from "./run-queries.js";

it("tells a watcher of the end although the run ended between two looks at it", async () => {
  const definition = saga("s")
    .step("a", { run: () => 1 })
    .build();
  const config = resolveConfig({});
  const store = createMemoryRunStore({});
  const manager = createSagaManager({ store, definitions: [definition], participants: {}, config });
  await manager.open();
  const { id } = await manager.start("s", {});
  await manager.wait(id, 5_000);

  // Another instance wrote the last row after this one had read the run and before it read the journal.
  let looks = 0;
  const racing: RunStore = {
    ...store,
    async get(run) {
      const row = await store.get(run);
      looks += 1;
      return row !== undefined && looks === 1 ? { ...row, status: "running" } : row;
    },
  };
  const { clock } = systemPorts;
  const registry = new Registry([definition], {}, config);
  const queries = new RunQueries({
    store: racing,
    registry,
    notifier: new RunNotifier(clock),
    clock,
    drives: () => false,
  });
  const events = [];
  for await (const { rows, status } of queries.watch(id, new AbortController().signal))
    events.push([rows.length, status]);
  expect(events).toEqual([
    [2, "running"],
    [0, "completed"],
  ]);
  await manager.close();
});
