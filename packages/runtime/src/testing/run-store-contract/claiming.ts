import { describe, expect } from "vitest";
import {
  activate,
  appendOne,
  type ContractTest,
  claimAll,
  claimOne,
  current,
  DEFINITION,
  first,
  LEASE_MS,
  newRun,
  newSignal,
  nextAppend,
  runId,
} from "./harness.js";

export function claiming(test: ContractTest): void {
  describe("claim", () => {
    test("takes the highest priority first, then the oldest, up to the limit", async ({ store }) => {
      await activate(store, "w");
      const priorities = [0, 5, -1, 5, 0];
      await store.create(priorities.map((priority, index) => newRun(index + 1, { priority })).reverse());
      const ids = async (limit: number): Promise<string[]> =>
        (await claimAll(store, "w", limit)).map(({ run }) => run.id);
      expect(await ids(3)).toEqual([runId(2), runId(4), runId(1)]);
      expect(await ids(3)).toEqual([runId(5), runId(3)]);
      expect(await ids(3)).toEqual([]);
    });

    test("leaves alone the runs of definitions and versions that are not listed", async ({ store }) => {
      await activate(store, "w");
      await store.create([
        newRun(1, { definition: "other" }),
        newRun(2, { version: "v2" }),
        newRun(3),
        newRun(4, { definition: "v1", version: "order" }),
      ]);
      expect((await claimAll(store, "w")).map(({ run }) => run.id)).toEqual([runId(3)]);
      expect(await store.claim({ worker: "w", definitions: [], limit: 10 })).toEqual([]);
      const definitions = [DEFINITION, { name: "order", version: "v2" }];
      expect((await store.claim({ worker: "w", definitions, limit: 10 })).map(({ run }) => run.id)).toEqual([runId(2)]);
    });

    test("gives a run that was never owned without a row, running under fence 1, changed now", async (under) => {
      const { store, advance, near } = under;
      await activate(store, "w");
      const [created] = await store.create([newRun(1)]);
      await advance(5_000);
      const updatedAt = near(await store.now());
      const claimed = first(await claimAll(store, "w"));
      const before = created?.kind === "created" ? created.run : {};
      expect(claimed).toEqual({
        run: { ...before, status: "running", owner: "w", fence: 1, wakeAt: null, updatedAt },
        rows: [],
        inbox: [],
        checkpoint: null,
      });
      expect(await store.get(runId(1))).toEqual(claimed.run);
    });

    test("gives a run owned before with a claimed row, its whole journal, inbox and newest checkpoint", async ({
      store,
      advance,
      near,
    }) => {
      const run = await claimOne(store, "old");
      await appendOne(
        store,
        nextAppend(run, { change: { status: "stuck" }, checkpoint: { n: 1, keep: 1, context: { a: [] } } }),
      );
      await store.signal([newSignal(run.id, "s1"), newSignal(run.id, "s2")]);
      await appendOne(store, nextAppend({ ...run, seq: 1 }, { consumed: ["s1"] }));
      await advance(LEASE_MS);
      await activate(store, "new");
      const claimed = first(await claimAll(store, "new"));
      expect(claimed.run).toMatchObject({ owner: "new", fence: 2, seq: 3, status: "stuck", wakeAt: null });
      expect(claimed.rows).toEqual(await store.journal(run.id));
      expect(claimed.rows.at(-1)).toMatchObject({
        seq: 3,
        fence: 2,
        at: near(await store.now()),
        records: [{ kind: "claimed", worker: "new", crashed: true }],
      });
      expect(claimed.inbox.map((entry) => entry.id)).toEqual(["s2"]);
      expect(claimed.checkpoint).toMatchObject({ n: 1, seq: 1, context: { a: [] } });
    });

    test("wakes a parked run exactly when its time has come", async ({ store, advance, near, tickMs }) => {
      const run = await claimOne(store, "w");
      await appendOne(
        store,
        nextAppend(run, { change: { status: "waiting" }, next: { kind: "park", delayMs: 5_000 } }),
      );
      const parked = await current(store, run.id);
      expect(parked).toMatchObject({ status: "waiting", owner: null, wakeAt: near((await store.now()) + 5_000) });
      await advance(5_000 - tickMs);
      expect(await claimAll(store, "w")).toEqual([]);
      await advance(tickMs);
      expect(first(await claimAll(store, "w")).run).toMatchObject({
        id: run.id,
        status: "running",
        owner: "w",
        fence: 2,
        seq: 2,
      });
    });

    test("never wakes a run by time that is parked until a signal", async ({ store, advance }) => {
      const run = await claimOne(store, "w");
      await appendOne(store, nextAppend(run, { change: { status: "stuck" }, next: { kind: "park", delayMs: null } }));
      await advance(1_000_000_000);
      await activate(store, "w2");
      expect(await claimAll(store, "w2")).toEqual([]);
      await store.signal([newSignal(run.id, "s")]);
      const claimed = first(await claimAll(store, "w2"));
      expect(claimed).toMatchObject({ run: { id: run.id, status: "stuck" }, inbox: [{ id: "s" }] });
    });

    test("gives nothing to a worker that is not active", async ({ store, advance, tickMs }) => {
      await store.create([newRun(1)]);
      expect(await claimAll(store, "unknown")).toEqual([]);
      await activate(store, "retired");
      await store.retire("retired");
      expect(await claimAll(store, "retired")).toEqual([]);
      await activate(store, "slow");
      await advance(LEASE_MS - tickMs);
      expect((await claimAll(store, "slow", 0)).length).toBe(0);
      await advance(tickMs);
      expect(await claimAll(store, "slow")).toEqual([]);
      expect(await current(store, runId(1))).toMatchObject({ status: "pending", fence: 0 });
    });

    test("gives a run to one claim only, however many ask at once", async ({ store }) => {
      await activate(store, "w");
      await store.create(Array.from({ length: 20 }, (_, index) => newRun(index + 1)));
      const claims = await Promise.all(Array.from({ length: 10 }, () => claimAll(store, "w", 3)));
      const ids = claims.flat().map(({ run }) => run.id);
      expect(ids.length).toBe(20);
      expect(new Set(ids).size).toBe(20);
    });
  });
}
