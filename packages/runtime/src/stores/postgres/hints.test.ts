import { expect, it } from "vitest";
import { resolveConfig } from "../../config.js";
import { saga } from "../../saga/builder.js";
import type { SagaManager } from "../../saga/manager.js";
import { createSagaManager } from "../../saga/saga-manager.js";
import type { RunStore, StoreHint } from "../../store/run-store.js";
import { newRun, newSignal, runId } from "../../testing/run-store-contract/harness.js";
import { createPostgresRunStore } from "./run-store.js";
import { postgresForTests } from "./throwaway.test.support.js";

/** What NOTIFY says is a hint: whatever becomes of it, work is found by polling, and done once. */

const { open } = postgresForTests();

type Hear = (hint: StoreHint) => void;

const RUNS = 12;

it.each<[string, (hear: Hear) => Hear]>([
  ["dropped", () => () => {}],
  [
    "doubled, with some of runs that are not there",
    (hear) => (hint) => {
      for (const each of [hint, hint, { kind: "inbox", run: runId(999) } as const]) hear(each);
    },
  ],
  ["late, when others have found the work", (hear) => (hint) => void setTimeout(() => hear(hint), 700)],
])("nothing is lost, and nothing done twice, when hints are %s", async (_, meddle) => {
  const under = await open();
  const effects: string[] = [];
  const definition = saga("approval")
    .step("ask", { run: ({ runId: id }) => void effects.push(`ask ${id}`) })
    .waitFor("answer", { signal: "answer" })
    .step("act", { run: ({ runId: id }) => void effects.push(`act ${id}`) })
    .build();
  const managers: SagaManager[] = [];
  try {
    for (let n = 0; n < 2; n++) {
      const store = createPostgresRunStore({ url: under.url, schema: under.schema, connections: 2 });
      const listen: RunStore["listen"] = (hear) => store.listen?.(meddle(hear));
      const manager = createSagaManager({
        ...{
          store: { ...store, listen },
          definitions: [definition],
          participants: {},
          config: resolveConfig({}),
          pollMs: 100,
        },
      });
      managers.push(manager);
      await manager.open();
    }
    const [one, other] = managers as [SagaManager, SagaManager];
    // As instances do that drive none of these runs: all that the others can hear of it are hints.
    const ids = Array.from({ length: RUNS }, (_, n) => runId(n + 1));
    const { name, version } = definition;
    await under.store.create(ids.map((_, n) => newRun(n + 1, { definition: name, version })));
    await expect.poll(() => effects.length, { timeout: 10_000 }).toBe(RUNS);
    const answers = ids.map((id) => newSignal(id, "answer", { name: "answer" }));
    expect(await under.store.signal(answers)).toEqual(ids.map(() => "accepted"));
    for (const [n, id] of ids.entries())
      expect(await (n % 2 === 0 ? one : other).wait(id, 10_000)).toMatchObject({ status: "completed" });
    expect(effects.sort()).toEqual(ids.flatMap((id) => [`ask ${id}`, `act ${id}`]).sort());
  } finally {
    for (const manager of managers) await manager.close(0);
    await under.close();
  }
});
