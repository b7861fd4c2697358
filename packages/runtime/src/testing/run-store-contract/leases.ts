import { describe, expect, it } from "vitest";
import {
  activate,
  appendOne,
  type ContractTest,
  claimAll,
  claimNew,
  claimOne,
  current,
  everythingOf,
  first,
  LEASE_MS,
  newRun,
  newSignal,
  nextAppend,
  RECORD,
  type RunStoreTraits,
  renewed,
  runId,
} from "./harness.js";

export function leases(test: ContractTest, { singleWorker }: RunStoreTraits): void {
  const [oneOnly, several] = singleWorker
    ? [test, skip("one worker at a time")]
    : [skip("many workers at a time"), test];

  describe("renew and retire", () => {
    test("registers a worker and extends its lease", async ({ store, advance, near }) => {
      const startedAt = await store.now();
      expect(await renewed(store, "w")).toEqual({
        kind: "active",
        now: near(startedAt),
        adopted: [],
        lost: [],
        inbox: [],
      });
      await store.create([newRun(1)]);
      await claimAll(store, "w");
      await advance(3_000);
      expect(await renewed(store, "w", [runId(1)])).toMatchObject({ kind: "active", now: near(startedAt + 3_000) });
      expect(await store.workers()).toEqual([
        {
          id: "w",
          label: "w label",
          startedAt: near(startedAt),
          renewedAt: near(startedAt + 3_000),
          expiresAt: near(startedAt + 3_000 + LEASE_MS),
          dead: false,
          runs: 1,
        },
      ]);
    });

    oneOnly(
      "lets a second worker stand by until the lease expires, and not a millisecond less",
      async ({ store, advance, near, tickMs }) => {
        const run = await claimOne(store, "old");
        const expiresAt = near((await store.now()) + LEASE_MS);
        expect(await renewed(store, "new")).toEqual({ kind: "standby", holder: "old", expiresAt });
        expect(await claimAll(store, "new")).toEqual([]);
        await advance(LEASE_MS - tickMs);
        expect(await renewed(store, "new")).toEqual({ kind: "standby", holder: "old", expiresAt });
        await advance(tickMs);
        expect(await renewed(store, "new")).toMatchObject({ kind: "active", adopted: [] });
        expect(await renewed(store, "old", [run.id])).toEqual({ kind: "dead" });
        expect(first(await claimAll(store, "new")).run).toMatchObject({ id: run.id, owner: "new", fence: 2 });
        expect((await store.workers()).map(({ id, dead, runs }) => [id, dead, runs])).toEqual([
          ["new", false, 1],
          ["old", true, 0],
        ]);
      },
    );

    several(
      "lets a second worker take over a run when the lease expired, and not a millisecond before",
      async ({ store, advance, tickMs }) => {
        const run = await claimOne(store, "old");
        await advance(tickMs);
        await activate(store, "new");
        await advance(LEASE_MS - 2 * tickMs);
        expect(await claimAll(store, "new")).toEqual([]);
        await activate(store, "new");
        await advance(tickMs);
        expect(first(await claimAll(store, "new")).run).toMatchObject({ id: run.id, owner: "new", fence: 2 });
        expect(await renewed(store, "old", [run.id])).toEqual({ kind: "dead" });
      },
    );

    several("keeps the runs of two active workers apart", async ({ store }) => {
      await activate(store, "a");
      await activate(store, "b");
      await store.create([newRun(1), newRun(2)]);
      const [mine] = await claimAll(store, "a", 1);
      const [theirs] = await claimAll(store, "b", 1);
      expect([mine?.run.id, theirs?.run.id]).toEqual([runId(1), runId(2)]);
      expect(await activate(store, "a", [runId(1), runId(2)])).toMatchObject({ adopted: [], lost: [runId(2)] });
    });

    test("renews an expired lease that nobody took over", async ({ store, advance }) => {
      const run = await claimOne(store, "w");
      await advance(5 * LEASE_MS);
      expect(await claimAll(store, "w")).toEqual([]);
      expect(await activate(store, "w", [run.id])).toMatchObject({ adopted: [], lost: [] });
      expect(await appendOne(store, nextAppend(run))).toMatchObject({ kind: "appended" });
    });

    test("frees a retired worker's runs at once", async ({ store, near }) => {
      const run = await claimOne(store, "old");
      await store.retire("old");
      expect(await current(store, run.id)).toMatchObject({ owner: null, wakeAt: near(await store.now()) });
      await activate(store, "new");
      expect(first(await claimAll(store, "new")).run).toMatchObject({ id: run.id, fence: 2 });
      expect(await renewed(store, "old", [run.id])).toEqual({ kind: "dead" });
      await store.retire("old");
      await store.retire("unknown");
      expect(await current(store, run.id)).toMatchObject({ owner: "new" });
    });

    test("says of a run whose owner's lease ran out that it crashed, and of no other", async ({ store, advance }) => {
      const recordOf = async (worker: string): Promise<unknown> => {
        await activate(store, worker);
        return first(await claimAll(store, worker)).rows.at(-1)?.records;
      };
      const run = await claimOne(store, "retires");
      await store.retire("retires");
      expect(await recordOf("expires")).toEqual([{ kind: "claimed", worker: "expires" }]);
      await advance(LEASE_MS);
      expect(await recordOf("parks")).toEqual([{ kind: "claimed", worker: "parks", crashed: true }]);
      await appendOne(
        store,
        nextAppend(await current(store, run.id), {
          change: { status: "waiting" },
          next: { kind: "park", delayMs: LEASE_MS },
        }),
      );
      await advance(LEASE_MS);
      expect(await recordOf("parks late")).toEqual([{ kind: "claimed", worker: "parks late" }]);
      const owned = await current(store, run.id);
      await advance(LEASE_MS);
      await activate(store, "last");
      await appendOne(store, nextAppend(owned, { next: { kind: "park", delayMs: 0 } }));
      expect(await recordOf("last")).toEqual([{ kind: "claimed", worker: "last" }]);
    });

    test("hands out the runs whose claim was answered into the void", async ({ store }) => {
      await activate(store, "w");
      await store.create([newRun(1), newRun(2, { claim: { worker: "w", appendId: "a", records: [RECORD] } })]);
      await store.signal([newSignal(runId(1), "s")]);
      const claimed = first(await claimAll(store, "w"));
      const { adopted, lost, inbox } = await activate(store, "w", []);
      expect(adopted.map(({ run }) => run.id)).toEqual([runId(1), runId(2)]);
      expect(adopted[0]).toEqual(claimed);
      expect(adopted[1]?.rows).toEqual(await store.journal(runId(2)));
      expect([lost, inbox]).toEqual([[], []]);
      expect(await activate(store, "w", [runId(1), runId(2)])).toMatchObject({ adopted: [], inbox: [{ id: "s" }] });
    });

    test("names the runs that the worker believes in and does not own", async ({ store }) => {
      const [kept, parked, ended] = await claimNew(store, "w", 3);
      if (!kept || !parked || !ended) return expect.unreachable();
      await store.create([newRun(4)]);
      await store.append([
        nextAppend(parked, { next: { kind: "park", delayMs: null } }),
        nextAppend(ended, { change: { status: "failed" }, next: { kind: "finish" } }),
      ]);
      const believed = [runId(99), kept.id, parked.id, ended.id, runId(4)];
      expect((await activate(store, "w", believed)).lost).toEqual([runId(99), parked.id, ended.id, runId(4)]);
    });

    test("brings the inbox of owned runs, oldest first, until it is consumed", async ({ store, advance, near }) => {
      const [run, other] = await claimNew(store, "w", 2);
      if (!run || !other) return expect.unreachable();
      const signals = ["z", "a", "m"].map((id) =>
        newSignal(run.id, id, { kind: "verb", name: "cancel", payload: { id, list: [] }, actor: "ann" }),
      );
      for (const signal of signals) {
        await store.signal([signal]);
        await advance(1);
      }
      const at = (await store.now()) - 3;
      const { inbox } = await activate(store, "w", [run.id, other.id]);
      expect(inbox).toEqual(signals.map((signal, index) => ({ ...signal, at: near(at + index) })));
      expect((await activate(store, "w", [run.id, other.id])).inbox).toEqual(inbox);
      await appendOne(store, nextAppend(run, { consumed: ["z", "m", "unknown"] }));
      expect((await activate(store, "w", [run.id, other.id])).inbox.map((entry) => entry.id)).toEqual(["a"]);
    });

    test("accepts a dead worker's append until its run is claimed, and loses nothing of it", async ({
      store,
      advance,
    }) => {
      const run = await claimOne(store, "old");
      await advance(LEASE_MS);
      await activate(store, "new");
      expect(await appendOne(store, nextAppend(run))).toMatchObject({ kind: "appended" });
      const claimed = first(await claimAll(store, "new"));
      expect(claimed.rows.map((row) => row.fence)).toEqual([1, 2]);
      const before = await everythingOf(store, run.id);
      expect(await appendOne(store, nextAppend({ ...run, seq: 1 }))).toEqual({ kind: "lease-lost" });
      expect(await everythingOf(store, run.id)).toEqual(before);
    });
  });
}

function skip(reason: string): ContractTest {
  return (title) => it.skip(`${title} (not this store: ${reason})`, () => undefined);
}
