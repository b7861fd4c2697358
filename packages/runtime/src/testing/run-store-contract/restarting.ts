import { describe, expect } from "vitest";
import type { EndStatus } from "../../engine/records.js";
import type { CreateRun, RunStore } from "../../store/run-store.js";
import {
  activate,
  appendOne,
  type ContractTest,
  claimAll,
  current,
  first,
  newRun,
  nextAppend,
  RECORD,
  runId,
} from "./harness.js";

const KEYED: Partial<CreateRun> = { key: "k", restart: true };

export function restarting(test: ContractTest): void {
  describe("create with restart", () => {
    test("creates as ever when nobody has the key, and gives the run that has it while it is open or completed", async ({
      store,
    }) => {
      expect(first(await store.create([newRun(1, { ...KEYED, restartedFrom: runId(9) })]))).toMatchObject({
        kind: "created",
        run: { id: runId(1), restartedFrom: runId(9) },
      });
      await expectExisting(store, runId(1));
      await activate(store, "w");
      const { run } = first(await claimAll(store, "w"));
      await expectExisting(store, runId(1));
      await appendOne(store, nextAppend(run, { change: { status: "stuck" } }));
      await expectExisting(store, runId(1));
      await appendOne(
        store,
        nextAppend({ ...run, seq: 1 }, { change: { status: "completed" }, next: { kind: "finish" } }),
      );
      await expectExisting(store, runId(1));
    });

    for (const status of ["failed", "compensated", "cancelled"] as const) {
      test(`moves the key from a run that ended ${status}, whatever the two inputs are`, async ({ store }) => {
        await endedWithKey(store, status);
        const before = await current(store, runId(1));
        await expectExisting(store, runId(1), { restart: false });
        const restarted = newRun(2, { ...KEYED, inputHash: "other", input: "other", restartedFrom: runId(9) });
        const result = first(await store.create([restarted]));
        expect(result).toMatchObject({ kind: "created", run: { id: runId(2), key: "k", restartedFrom: runId(1) } });
        expect(await store.get(runId(2))).toEqual(result.kind === "created" && result.run);
        expect(await store.get(runId(1))).toEqual(before);
        await expectExisting(store, runId(2), { restart: false });
        await expectExisting(store, runId(2));
      });
    }

    test("lets one of 50 concurrent callers restart, and gives the others the new run", async ({ store }) => {
      await endedWithKey(store, "failed");
      const calls = Array.from({ length: 50 }, (_, n) => store.create([newRun(n + 2, KEYED)]));
      const results = (await Promise.all(calls)).map(first);
      const { run } = first(results.filter((result) => result.kind === "created"));
      expect(run.restartedFrom).toBe(runId(1));
      expect(results.filter((result) => result.kind === "existing" && result.run.id === run.id).length).toBe(49);
      expect((await store.list({ limit: 100 })).items.map(({ id }) => id)).toEqual([run.id, runId(1)]);
    });

    test("restarts within one call as in several, and under the key's tenant and definition only", async ({
      store,
    }) => {
      await endedWithKey(store, "failed");
      const results = await store.create([
        newRun(2, { ...KEYED, tenant: "other" }),
        newRun(3, { ...KEYED, definition: "other" }),
        newRun(4, KEYED),
        newRun(5, KEYED),
        newRun(6, { ...KEYED, key: null }),
      ]);
      expect(results.map(({ kind }) => kind)).toEqual(["created", "created", "created", "existing", "created"]);
      const whence = results.map((result) => result.kind !== "rejected" && [result.run.id, result.run.restartedFrom]);
      expect(whence).toEqual([
        [runId(2), null],
        [runId(3), null],
        [runId(4), runId(1)],
        [runId(4), runId(1)],
        [runId(6), null],
      ]);
    });

    test("recognizes the same call sent again, and links restart to restart", async ({ store }) => {
      await endedWithKey(store, "failed");
      const claim = { worker: "w", appendId: "a", records: [RECORD] };
      const again = newRun(2, { ...KEYED, claim });
      const [sent] = await store.create([again]);
      expect(sent).toMatchObject({ run: { restartedFrom: runId(1), owner: "w" }, row: { appendId: "a" } });
      expect(await store.create([again])).toEqual([sent]);
      const second = await current(store, runId(2));
      await appendOne(store, nextAppend(second, { change: { status: "cancelled" }, next: { kind: "finish" } }));
      expect(first(await store.create([newRun(3, KEYED)]))).toMatchObject({ run: { restartedFrom: runId(2) } });
      expect(await store.create([again])).toMatchObject([{ kind: "created", run: { id: runId(2) } }]);
      await expectExisting(store, runId(3));
    });

    test("leaves the key to the new run when the former one is pruned", async ({ store, advance }) => {
      await endedWithKey(store, "failed");
      await store.create([newRun(2, KEYED)]);
      await advance(10);
      expect(await store.prune((await current(store, runId(2))).createdAt + 5, 10)).toBe(1);
      expect(await store.get(runId(1))).toBeUndefined();
      await expectExisting(store, runId(2), { restart: false });
    });
  });
}

/** Run 1, under the key, which ended so. */
async function endedWithKey(store: RunStore, status: EndStatus): Promise<void> {
  await activate(store, "w");
  await store.create([newRun(1, { key: "k", claim: { worker: "w", appendId: "a", records: [RECORD] } })]);
  const run = await current(store, runId(1));
  const end = nextAppend(run, { change: { status }, next: { kind: "finish" } });
  expect(await appendOne(store, end)).toMatchObject({ kind: "appended" });
}

async function expectExisting(store: RunStore, id: string, overrides: Partial<CreateRun> = {}): Promise<void> {
  const result = first(await store.create([newRun(100, { ...KEYED, ...overrides })]));
  expect(result).toMatchObject({ kind: "existing", run: { id } });
}
