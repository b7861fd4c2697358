import { expect, it } from "vitest";
import { resolveConfig } from "../../config.js";
import { saga } from "../../saga/builder.js";
import type { SagaManager } from "../../saga/manager.js";
import type { Definition } from "../../saga/registry.js";
import { createSagaManager } from "../../saga/saga-manager.js";
import { task } from "../../saga/task.js";
import { createPostgresRunStore } from "./run-store.js";
import { postgresForTests } from "./throwaway.test.support.js";

/** Two instances that work at the same time, of two deployments. */

const { open } = postgresForTests();

async function withInstances(
  definitions: readonly [readonly Definition[], readonly Definition[]],
  use: (one: SagaManager, other: SagaManager) => Promise<void>,
): Promise<void> {
  const under = await open();
  const managers: SagaManager[] = [];
  try {
    for (const each of definitions) {
      const store = createPostgresRunStore({ url: under.url, schema: under.schema, connections: 2 });
      const manager = createSagaManager({
        ...{ store, definitions: each, participants: {}, config: resolveConfig(), pollMs: 50 },
      });
      managers.push(manager);
      await manager.open();
    }
    const [one, other] = managers as [SagaManager, SagaManager];
    await use(one, other);
  } finally {
    for (const manager of managers) await manager.close(0);
    await under.close();
  }
}

it("gives each run to an instance that has its version, and says which runs nobody has", async () => {
  const log: string[] = [];
  const does = (name: string) => ({ run: () => void log.push(name) });
  const first = saga("order").step("a", does("a1")).waitFor("go").step("b", does("b1")).build();
  const second = saga("order").step("a", does("a2")).step("more", does("more")).waitFor("go").build();
  await withInstances([[first], [second]], async (old, fresh) => {
    const { id } = await old.start("order", {});
    const { id: other } = await fresh.start("order", {});
    // Each is signaled through the instance that cannot lead it.
    await fresh.signal(id, "go", null, { actor: "test" });
    await old.signal(other, "go", null, { actor: "test" });
    expect(await fresh.wait(id, 15_000)).toMatchObject({ status: "completed", version: first.version });
    expect(await old.wait(other, 15_000)).toMatchObject({ status: "completed", version: second.version });
    expect(log.sort()).toEqual(["a1", "a2", "b1", "more"]);
    const { id: waits } = await old.start("order", {});
    await old.close(0);
    expect(await fresh.health()).toMatchObject({ detail: expect.stringContaining(`order@${first.version} (1)`) });
    expect((await fresh.get(waits)).status).not.toBe("completed");
  });
}, 40_000);

it("runs a task's function on whichever instance, and hears signs of life through the other one", async () => {
  const done: string[] = [];
  const definition = task("moves", async ({ checkpoint, waitFor }) => {
    await checkpoint("before", () => void done.push("before"));
    const payload = await waitFor("go");
    await checkpoint("after", () => void done.push("after"));
    return payload;
  });
  let release: () => void = () => {};
  const beats = saga("beats")
    .step("long", {
      timeout: "1h",
      heartbeat: "4s",
      run: async ({ attempt }) => {
        if (attempt === 1)
          await new Promise<void>((resolve) => {
            release = resolve;
          });
        return "done";
      },
    })
    .build();
  await withInstances(
    [
      [definition, beats],
      [definition, beats],
    ],
    async (one, other) => {
      const { id } = await one.start("moves", {});
      await other.signal(id, "go", { n: 1 }, { actor: "test" });
      expect(await other.wait(id, 15_000)).toMatchObject({ status: "completed", output: { n: 1 } });
      expect(done).toEqual(["before", "after"]);

      const { id: long } = await one.start("beats", {});
      await other.heartbeat(long, "long", { attempt: 1, details: { at: 5 } });
      const heard = async (): Promise<boolean> =>
        (await one.journal(long)).some((row) =>
          row.records.some((record) => record.kind === "heartbeat" && record.details !== undefined),
        );
      await expect.poll(heard, { timeout: 10_000 }).toBe(true);
      release();
      expect(await other.wait(long, 15_000)).toMatchObject({ status: "completed", steps: [{ attempts: 1 }] });
    },
  );
}, 40_000);
