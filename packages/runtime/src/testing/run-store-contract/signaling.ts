import { describe, expect } from "vitest";
import {
  activate,
  appendOne,
  type ContractTest,
  claimAll,
  claimNew,
  claimOne,
  current,
  first,
  newRun,
  newSignal,
  nextAppend,
  POISON,
  runId,
} from "./harness.js";

export function signaling(test: ContractTest): void {
  describe("signal", () => {
    test("keeps each id once per run, whether waiting, consumed or in one call", async ({ store }) => {
      const [run, other] = await claimNew(store, "w", 2);
      if (!run || !other) return expect.unreachable();
      const results = await store.signal([
        newSignal(run.id, "s"),
        newSignal(run.id, "s", { payload: "other" }),
        newSignal(other.id, "s"),
        newSignal(runId(99), "s"),
      ]);
      expect(results).toEqual(["accepted", "duplicate", "accepted", "not-found"]);
      await appendOne(store, nextAppend(run, { consumed: ["s"] }));
      expect(await store.signal([newSignal(run.id, "s")])).toEqual(["duplicate"]);
      const { inbox } = await activate(store, "w", [run.id, other.id]);
      expect(inbox.map((entry) => [entry.run, entry.payload])).toEqual([[other.id, { id: "s" }]]);
    });

    test("keeps a signal for a run that nobody has claimed yet", async ({ store, near }) => {
      await store.create([newRun(1)]);
      expect(await store.signal([newSignal(runId(1), "s")])).toEqual(["accepted"]);
      await activate(store, "w");
      const claimed = first(await claimAll(store, "w"));
      expect(claimed.inbox).toEqual([{ ...newSignal(runId(1), "s"), at: near(await store.now()) }]);
    });

    test("wakes a sleeping run at once and never delays a due one", async ({ store, advance, near }) => {
      const run = await claimOne(store, "w");
      await appendOne(store, nextAppend(run, { next: { kind: "park", delayMs: 60_000 } }));
      await advance(10);
      await store.signal([newSignal(run.id, "a")]);
      const { owner, wakeAt: woken } = await current(store, run.id);
      expect([owner, woken]).toEqual([null, near(await store.now())]);
      await advance(10);
      await store.signal([newSignal(run.id, "b")]);
      expect(await current(store, run.id)).toMatchObject({ wakeAt: woken });
      expect(first(await claimAll(store, "w")).inbox.map((entry) => entry.id)).toEqual(["a", "b"]);
    });

    test("keeps a run from being parked while a signal waits, and applies the rest of the append", async ({
      store,
    }) => {
      const run = await claimOne(store, "w");
      await store.signal([newSignal(run.id, "a"), newSignal(run.id, "b")]);
      const park = { change: { status: "waiting", output: 1 }, next: { kind: "park", delayMs: null } } as const;
      expect(await appendOne(store, nextAppend(run, { ...park, consumed: ["a"] }))).toMatchObject({
        kind: "appended",
        parked: false,
      });
      expect(await current(store, run.id)).toMatchObject({
        owner: "w",
        status: "waiting",
        output: 1,
        wakeAt: null,
        seq: 1,
      });
      expect((await activate(store, "w", [run.id])).inbox.map((entry) => entry.id)).toEqual(["b"]);
      expect(await appendOne(store, nextAppend({ ...run, seq: 1 }, { ...park, consumed: ["b"] }))).toMatchObject({
        parked: true,
      });
      expect(await current(store, run.id)).toMatchObject({ owner: null, status: "waiting", wakeAt: null });
    });

    test("never lets a signal fall between a park and its sleep", async ({ store }) => {
      const runs = await claimNew(store, "w", 20);
      const race = runs.map((run, index) => {
        const calls = [
          () => store.append([nextAppend(run, { next: { kind: "park", delayMs: null } })]),
          () => store.signal([newSignal(run.id, "s")]),
        ] as const;
        return Promise.all((index % 2 === 0 ? calls : [...calls].reverse()).map((call) => call()));
      });
      await Promise.all(race);
      const stillOwned = (await Promise.all(runs.map((run) => current(store, run.id)))).filter(
        (run) => run.owner === "w",
      );
      expect(stillOwned.length + (await claimAll(store, "w")).length).toBe(20);
    });

    for (const [what, text] of POISON) {
      test(`rejects ${what} in a signal, and takes the others of the call`, async ({ store }) => {
        await store.create([newRun(1)]);
        const results = await store.signal([
          newSignal(runId(1), text),
          newSignal(runId(1), "a"),
          newSignal(runId(1), "b", { payload: { deep: [text] } }),
          newSignal(runId(1), ""),
          newSignal(runId(1), "c"),
        ]);
        expect(results).toEqual(["rejected", "accepted", "rejected", "rejected", "accepted"]);
      });
    }
  });
}
