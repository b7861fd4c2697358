import { describe, expect, it } from "vitest";
import type { RunStore } from "../../store/run-store.js";
import {
  activate,
  appendOne,
  type ContractTest,
  claimNew,
  everythingOf,
  first,
  newRun,
  newSignal,
  nextAppend,
  type RunStoreTraits,
  runId,
} from "./harness.js";

export function opening(test: ContractTest, { lacks }: RunStoreTraits): void {
  const reopening: ContractTest = lacks?.reopen
    ? (title) => it.skip(`${title} (not this store: ${lacks.reopen})`, () => undefined)
    : test;

  describe("open and close", () => {
    test("answers while it is open, and refuses calls after close", async ({ store, advance, near }) => {
      await store.open();
      await store.ping();
      const now = await store.now();
      await advance(60_000);
      expect(await store.now()).toEqual(near(now + 60_000));
      await store.close();
      await store.close();
      const calls: (() => Promise<unknown>)[] = [
        () => store.ping(),
        () => store.now(),
        () => store.create([newRun(1)]),
        () => store.append([]),
        () => store.get(runId(1)),
        () => activate(store, "w"),
        () => store.prune(0, 1),
      ];
      for (const call of calls) await expect(call(), String(call)).rejects.toMatchObject({ code: "store-unavailable" });
      await store.open();
      await store.ping();
    });

    reopening("keeps everything when it is opened again", async ({ store, reopen }) => {
      const [run, other] = await claimNew(store, "w", 2);
      if (!run || !other || !reopen) return expect.unreachable();
      await store.create([newRun(3, { key: "k" })]);
      await store.signal([newSignal(run.id, "s")]);
      await appendOne(store, nextAppend(run, { checkpoint: { n: 1, keep: 1, context: { a: 1 } } }));
      await appendOne(store, nextAppend(other, { next: { kind: "park", delayMs: 50 } }));
      const snapshot = async (from: RunStore): Promise<unknown> => [
        await Promise.all([run.id, other.id, runId(3)].map((id) => everythingOf(from, id))),
        await from.list({ limit: 10 }),
        await from.workers(),
        await from.count(),
      ];
      const before = await snapshot(store);
      await store.close();
      const again = await reopen();
      expect(await snapshot(again)).toEqual(before);
      expect(first(await again.create([newRun(4, { key: "k" })]))).toMatchObject({
        kind: "existing",
        run: { id: runId(3) },
      });
      expect(await activate(again, "w", [run.id])).toMatchObject({ adopted: [], lost: [], inbox: [{ id: "s" }] });
    });

    reopening("can be opened by many at once, who then see one store", async ({ store, reopen }) => {
      if (!reopen) return expect.unreachable();
      const others = await Promise.all(Array.from({ length: 8 }, () => reopen()));
      const results = await Promise.all(others.map((other, index) => other.create([newRun(index + 1, { key: "k" })])));
      expect(results.flat().filter((result) => result.kind === "created").length).toBe(1);
      expect((await store.list({ limit: 10 })).items.length).toBe(1);
    });
  });
}
