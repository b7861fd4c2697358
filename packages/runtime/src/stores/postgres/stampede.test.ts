import { expect, it } from "vitest";
import { resolveConfig } from "../../config.js";
import { saga } from "../../saga/builder.js";
import { createSagaManager } from "../../saga/saga-manager.js";
import { newRun, runId } from "../../testing/run-store-contract/harness.js";
import { createPostgresRunStore } from "./run-store.js";
import { postgresForTests } from "./throwaway.test.support.js";

const { open } = postgresForTests();

const INSTANCES = 8;
const RUNS = 60;

it("eight instances that come up at once on the same backlog perform each step once", async () => {
  const under = await open();
  const performed = new Map<string, number>();
  const count = (key: string): void => void performed.set(key, (performed.get(key) ?? 0) + 1);
  const definition = saga("s")
    .step("first", { run: ({ idempotencyKey }) => count(idempotencyKey) })
    .step("last", { run: ({ idempotencyKey }) => count(idempotencyKey) })
    .build();
  const { name, version } = definition;
  const ids = Array.from({ length: RUNS }, (_, n) => runId(n + 1));
  await under.store.create(ids.map((_, n) => newRun(n + 1, { definition: name, version })));
  const managers = Array.from({ length: INSTANCES }, () =>
    createSagaManager({
      store: createPostgresRunStore({ url: under.url, schema: under.schema, connections: 2 }),
      ...{ definitions: [definition], participants: {}, config: resolveConfig({}), pollMs: 50 },
    }),
  );
  try {
    await Promise.all(managers.map((manager) => manager.open()));
    const ends = await Promise.all(ids.map((id, n) => managers[n % INSTANCES]?.wait(id, 15_000)));
    expect(ends.map((run) => run?.status)).toEqual(ids.map(() => "completed"));
    expect([...performed.keys()].sort()).toEqual(ids.flatMap((id) => [`${id}:first`, `${id}:last`]).sort());
    expect(new Set(performed.values())).toEqual(new Set([1]));
  } finally {
    await Promise.all(managers.map((manager) => manager.close(0)));
    await under.close();
  }
});
