import { describe, expect } from "vitest";
import { activate, LEASE_MS } from "../run-store-contract/harness.js";
import {
  advanced,
  type BatchTests,
  failedItem,
  opened,
  planted,
  progress,
  RUN,
  settledOf,
  spans,
  taken,
  WORKER,
} from "./harness.js";

export function takingOver({ test }: BatchTests): void {
  describe("a chunk whose owner is gone", () => {
    test("goes to the next with a new fence, and the old one settles nothing more", async (under) => {
      const { store, batches, advance } = under;
      await opened(store);
      await planted(batches, RUN, spans(3), { isEnd: true });
      const [one, two] = await taken(batches, RUN, 2);
      if (!one || !two) return expect.unreachable();
      await advance(LEASE_MS);
      await activate(store, "new");
      // Until it is somebody else's it can be settled yet.
      expect(await advanced(batches, RUN, { settled: [settledOf(two)] })).toMatchObject({ results: ["settled"] });
      const [again, ...others] = await taken(batches, RUN, 3, { worker: "new" });
      expect(again).toEqual({ ...one, fence: 2, crashes: 1 });
      expect(others).toMatchObject([{ n: 3, fence: 1, crashes: 0 }]);
      const late = await advanced(batches, RUN, { settled: [settledOf(one)] });
      expect(late).toMatchObject({ results: ["lost"], taken: [] });
      expect(await batches.mark(one, "key")).toBe(false);
      const counts = { done: 10, openChunks: 2, ownedChunks: 2 };
      expect(await progress(batches, RUN)).toMatchObject(counts);
    });

    test("is not given before the lease has run out", async ({ store, batches, advance, tickMs }) => {
      await opened(store);
      await planted(batches, RUN, spans(1));
      await taken(batches, RUN, 1);
      await advance(LEASE_MS - tickMs);
      await store.renew({ worker: "new", label: "new", leaseMs: LEASE_MS, runs: [] });
      expect(await taken(batches, RUN, 1, { worker: "new" })).toEqual([]);
      expect(await progress(batches, RUN)).toMatchObject({ ownedChunks: 1 });
    });

    test("did not crash when its owner retired", async ({ store, batches }) => {
      await opened(store);
      await planted(batches, RUN, spans(1));
      const [one] = await taken(batches, RUN, 1);
      if (!one) return expect.unreachable();
      expect(await batches.mark(one, "a")).toBe(true);
      await store.retire(WORKER);
      await activate(store, "new");
      const [again] = await taken(batches, RUN, 1, { worker: "new" });
      expect(again).toEqual({ ...one, fence: 2, crashes: 0, marked: null });
    });

    test("says which item was under way, and how often", async ({ store, batches, advance }) => {
      await opened(store);
      await planted(batches, RUN, spans(1));
      let worker: string = WORKER;
      /** The owner marks these, in turn, and dies; the next one takes over. */
      const dieAt = async (...keys: (string | null)[]) => {
        const [chunk] = await taken(batches, RUN, 1, { worker });
        if (!chunk) return expect.unreachable();
        for (const key of keys) expect(await batches.mark(chunk, key)).toBe(true);
        await advance(LEASE_MS);
        worker = `${worker}+`;
        await activate(store, worker);
        const [next] = await taken(batches, RUN, 1, { worker });
        return { crashes: next?.crashes, marked: next?.marked };
      };
      expect(await dieAt()).toEqual({ crashes: 1, marked: null });
      expect(await dieAt("a", "b")).toEqual({ crashes: 2, marked: { key: "b", crashes: 1 } });
      expect(await dieAt("a", "b")).toEqual({ crashes: 3, marked: { key: "b", crashes: 2 } });
      expect(await dieAt("b", null)).toEqual({ crashes: 4, marked: { key: "b", crashes: 2 } });
      expect(await dieAt("c")).toEqual({ crashes: 5, marked: { key: "c", crashes: 1 } });
    });

    test("can be marked by its newest owner only", async ({ store, batches }) => {
      await opened(store);
      await planted(batches, RUN, spans(2));
      const [one] = await taken(batches, RUN, 1);
      if (!one) return expect.unreachable();
      expect(await batches.mark({ ...one, fence: 2 }, "a")).toBe(false);
      expect(await batches.mark({ ...one, n: 2, fence: 0 }, "a")).toBe(false);
      expect(await batches.mark({ ...one, run: "no id of a run" }, "a")).toBe(false);
      await advanced(batches, RUN, { settled: [settledOf(one)] });
      expect(await batches.mark(one, "a")).toBe(false);
    });

    test("of a former worker's failed items leaves none behind", async ({ store, batches, advance }) => {
      await opened(store, { maxFailures: 9 });
      await planted(batches, RUN, spans(1));
      const [one] = await taken(batches, RUN, 1);
      if (!one) return expect.unreachable();
      await advance(LEASE_MS);
      await activate(store, "new");
      await taken(batches, RUN, 1, { worker: "new" });
      const late = { ...settledOf(one), done: 9, failed: [failedItem("late")] };
      expect(await advanced(batches, RUN, { settled: [late] })).toMatchObject({ results: ["lost"] });
      expect((await batches.failures(RUN, { limit: 10 })).items).toEqual([]);
    });
  });
}
