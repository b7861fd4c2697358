import { describe, expect } from "vitest";
import { activate, LEASE_MS, runId } from "../run-store-contract/harness.js";
import {
  activeFor,
  advanced,
  type BatchTests,
  become,
  led,
  opened,
  planted,
  progress,
  RUN,
  settledOf,
  spans,
  taken,
  WORKER,
  workThrough,
} from "./harness.js";

export function showing({ test, several }: BatchTests): void {
  describe("active", () => {
    test("tells of those that have something to be done, oldest first", async ({ store, batches }) => {
      for (const n of [2, 1, 3, 4]) await opened(store, {}, n);
      await planted(batches, runId(2), spans(7));
      await planted(batches, runId(3), [], { isEnd: true });
      await become(store, runId(4), "paused");
      const ref = { definition: "order", version: "v1", round: 1 };
      expect(await activeFor(batches)).toEqual([
        { ...ref, run: runId(1), status: "open", leads: true, takeable: 0, untold: false },
        { ...ref, run: runId(2), status: "open", leads: true, takeable: 4, untold: false },
        { ...ref, run: runId(3), status: "ended", leads: false, takeable: 0, untold: true },
      ]);
    });

    test("tells only of definitions that are listed, and active workers only", async ({ store, batches, advance }) => {
      await opened(store);
      for (const [name, version] of [
        ["order", "v2"],
        ["other", "v1"],
      ] as const)
        expect(await batches.active(WORKER, [{ name, version }])).toEqual([]);
      expect(await batches.active(WORKER, [])).toEqual([]);
      expect(await activeFor(batches, "unknown")).toEqual([]);
      await advance(LEASE_MS);
      expect(await activeFor(batches)).toEqual([]);
      await activate(store, WORKER);
      expect(await activeFor(batches)).toMatchObject([{ run: RUN }]);
    });

    test("says how many chunks the worker could have, or has", async ({ store, batches }) => {
      await opened(store, { concurrency: 3 });
      await planted(batches, RUN, spans(2), { isEnd: true });
      expect(await activeFor(batches)).toMatchObject([{ leads: false, takeable: 2 }]);
      const [one] = await taken(batches, RUN, 1);
      if (!one) return expect.unreachable();
      expect(await activeFor(batches)).toMatchObject([{ leads: false, takeable: 2 }]);
      await advanced(batches, RUN, { settled: [settledOf(one)] });
      expect(await activeFor(batches)).toMatchObject([{ takeable: 1 }]);
      await become(store, RUN, "paused");
      expect(await activeFor(batches)).toEqual([]);
    });

    several("says nothing of what others lead and work on", async ({ store, batches, advance }) => {
      await opened(store, { concurrency: 2 });
      await planted(batches, RUN, spans(5), { take: 2 });
      await activate(store, "other");
      expect(await activeFor(batches, "other")).toEqual([]);
      await store.retire(WORKER);
      expect(await activeFor(batches, "other")).toMatchObject([{ leads: true, takeable: 2 }]);
      await led(batches, RUN, "other");
      await advance(LEASE_MS);
      await activate(store, "third");
      expect(await activeFor(batches, "third")).toMatchObject([{ leads: true, takeable: 2 }]);
    });

    test("names a hundred at most", async ({ store, batches }) => {
      for (let n = 1; n <= 102; n += 1) await opened(store, {}, n);
      const active = await activeFor(batches);
      expect(active.map(({ run }) => run)).toEqual(Array.from({ length: 100 }, (_, index) => runId(index + 1)));
    });

    test("goes on telling of an end until the run was told, in the same round", async ({ store, batches }) => {
      await opened(store);
      await planted(batches, RUN, spans(1), { isEnd: true });
      await batches.told(RUN, 1);
      expect(await activeFor(batches)).toMatchObject([{ takeable: 1, untold: false }]);
      await workThrough(batches, RUN);
      await batches.told(RUN, 2);
      expect(await activeFor(batches)).toMatchObject([{ untold: true }]);
      await batches.told(RUN, 1);
      await batches.told("no id of a run", 1);
      expect(await activeFor(batches)).toEqual([]);
    });
  });

  describe("progress", () => {
    test("has a rate once there is something to tell it from", async ({ store, batches, advance, tickMs }) => {
      await opened(store, { concurrency: 100 });
      await planted(batches, RUN, spans(90, 100));
      expect((await progress(batches, RUN)).rate).toBeNull();
      const work = async (chunks: number): Promise<void> => {
        const given = await taken(batches, RUN, chunks);
        await advanced(batches, RUN, { settled: given.map((chunk) => settledOf(chunk)) });
      };
      // Ten chunks of a hundred items in ten seconds, then half as many.
      for (let n = 0; n < 6; n += 1) {
        await advance(10_000);
        await activate(store, WORKER);
        await work(10);
      }
      const tolerance = tickMs === 1 ? 0.1 : 30;
      expect(Math.abs(((await progress(batches, RUN)).rate ?? 0) - 100)).toBeLessThanOrEqual(tolerance);
      for (let n = 0; n < 5; n += 1) {
        await advance(10_000);
        await activate(store, WORKER);
        await work(5);
      }
      expect(Math.abs(((await progress(batches, RUN)).rate ?? 0) - 50)).toBeLessThanOrEqual(tolerance);
      await advance(100_000);
      expect((await progress(batches, RUN)).rate).toBeLessThan(30);
    });

    test("keeps its last rate once the batch has ended", async ({ store, batches, advance }) => {
      await opened(store);
      await planted(batches, RUN, spans(4, 100), { isEnd: true });
      await advance(8_000);
      await workThrough(batches, RUN);
      const { rate } = await progress(batches, RUN);
      expect(rate ?? 0).toBeGreaterThan(30);
      await advance(1_000_000);
      expect((await progress(batches, RUN)).rate).toBe(rate);
    });

    test("of an unknown batch is none", async ({ batches }) => {
      expect(await batches.get(RUN)).toBeUndefined();
      expect(await batches.get("no id of a run")).toBeUndefined();
    });
  });

  describe("prune", () => {
    test("deletes a batch, its chunks and failed items with its run", async ({ store, batches, advance }) => {
      await opened(store, { maxFailures: 9 }, 1);
      await opened(store, { maxFailures: 9 }, 2);
      for (const run of [runId(1), runId(2)]) {
        await planted(batches, run, spans(3));
        const [one] = await taken(batches, run, 2);
        if (!one) return expect.unreachable();
        await advanced(batches, run, { settled: [settledOf(one, 2)], holding: [2] });
      }
      await become(store, runId(1), "completed");
      await advance(5_000);
      expect(await store.prune(await store.now(), 10)).toBe(1);
      expect(await batches.get(runId(1))).toBeUndefined();
      expect((await batches.failures(runId(1), { limit: 9 })).items).toEqual([]);
      expect(await progress(batches, runId(2))).toMatchObject({ failed: 2, openChunks: 2 });
      expect((await batches.failures(runId(2), { limit: 9 })).items.length).toBe(2);
      // Nothing is left that a batch of the same run would find.
      await store.create([]);
      await opened(store, {}, 1);
      await planted(batches, runId(1), spans(1));
      expect(await taken(batches, runId(1), 9)).toMatchObject([{ n: 1, fence: 1, crashes: 0 }]);
    });
  });
}
