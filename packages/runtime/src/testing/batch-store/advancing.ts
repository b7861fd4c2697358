import { describe, expect } from "vitest";
import { activate, runId } from "../run-store-contract/harness.js";
import {
  advanced,
  type BatchTests,
  become,
  numbers,
  opened,
  planted,
  progress,
  RUN,
  settledOf,
  spans,
  taken,
} from "./harness.js";

export function advancing({ test, several }: BatchTests): void {
  describe("advance", () => {
    test("gives free chunks, lowest first, each once", async ({ store, batches }) => {
      await opened(store, { concurrency: 10 });
      await planted(batches, RUN, spans(5));
      const first = await taken(batches, RUN, 2);
      expect(first.map(({ n, fence, from, to }) => ({ n, fence, from, to }))).toEqual([
        { n: 1, fence: 1, from: null, to: { place: 1 } },
        { n: 2, fence: 1, from: { place: 1 }, to: { place: 2 } },
      ]);
      expect(numbers(await taken(batches, RUN, 10, { holding: [1, 2] }))).toEqual([3, 4, 5]);
      expect(await taken(batches, RUN, 10, { holding: [1, 2, 3, 4, 5] })).toEqual([]);
    });

    test("settles chunks and gives the next ones in one call", async ({ store, batches }) => {
      await opened(store, { concurrency: 2, maxFailures: 9 });
      await planted(batches, RUN, spans(4));
      const [one, two] = await taken(batches, RUN, 2);
      if (!one || !two) return expect.unreachable();
      const settled = [settledOf(two, 2, 1), settledOf(one)];
      const answer = await advanced(batches, RUN, { settled, take: 2, holding: [] });
      expect(answer).toMatchObject({ results: ["settled", "settled"], status: "open", waitMs: null });
      expect(numbers(answer.taken)).toEqual([3, 4]);
      const counts = { done: 17, failed: 2, skipped: 1, planted: 40, openChunks: 2, ownedChunks: 2 };
      expect(await progress(batches, RUN)).toMatchObject(counts);
    });

    test("sent again counts nothing twice, and gives what was taken", async ({ store, batches }) => {
      await opened(store, { concurrency: 2, maxFailures: 9 });
      await planted(batches, RUN, spans(5));
      const [one, two] = await taken(batches, RUN, 2);
      if (!one || !two) return expect.unreachable();
      const request = { settled: [settledOf(one, 1)], take: 1, holding: [2] };
      const first = await advanced(batches, RUN, request);
      const before = await progress(batches, RUN);
      const again = await advanced(batches, RUN, request);
      expect(again).toEqual({ ...first, results: ["lost"] });
      expect(await progress(batches, RUN)).toEqual({ ...before, updatedAt: expect.any(Number) });
      expect((await batches.failures(RUN, { limit: 10 })).items.length).toBe(1);
      expect(numbers(await taken(batches, RUN, 2, { holding: [] }))).toEqual([2, 3]);
    });

    test("settles each chunk by itself: one that is lost keeps no other back", async ({ store, batches }) => {
      await opened(store);
      await planted(batches, RUN, spans(3));
      const [one, two] = await taken(batches, RUN, 2);
      if (!one || !two) return expect.unreachable();
      const stale = { ...settledOf(one), fence: one.fence + 1 };
      const free = { ...settledOf(one), n: 3, fence: 0 };
      const unknown = { ...settledOf(one), n: 77 };
      const { results } = await advanced(batches, RUN, { settled: [stale, settledOf(two), unknown, free] });
      expect(results).toEqual(["lost", "settled", "lost", "lost"]);
      expect(await progress(batches, RUN)).toMatchObject({ done: 10, openChunks: 2, ownedChunks: 1 });
    });

    test("ends the batch with the last chunk of a source at its end, once", async ({ store, batches, near }) => {
      await opened(store);
      await planted(batches, RUN, spans(2), { isEnd: true });
      const [one, two] = await taken(batches, RUN, 2);
      if (!one || !two) return expect.unreachable();
      expect(await advanced(batches, RUN, { settled: [settledOf(two)] })).toMatchObject({ status: "open" });
      const last = { settled: [settledOf(one)], take: 5 };
      expect(await advanced(batches, RUN, last)).toEqual({
        ...{ results: ["settled"], taken: [], status: "ended", waitMs: null },
      });
      const end = await progress(batches, RUN);
      expect(end).toMatchObject({ status: "ended", done: 20, total: 20, endedAt: near(await store.now()) });
      expect(await advanced(batches, RUN, last)).toMatchObject({ results: ["lost"], status: "ended" });
      expect(await progress(batches, RUN)).toEqual(end);
    });

    test("knows nothing of a batch that is unknown", async ({ store, batches }) => {
      await opened(store);
      await planted(batches, RUN, spans(1));
      const [one] = await taken(batches, RUN, 1);
      if (!one) return expect.unreachable();
      for (const run of [runId(9), "no id of a run"]) {
        expect(await advanced(batches, run, { settled: [settledOf(one)], take: 3 })).toEqual({
          ...{ results: ["lost"], taken: [], status: "ended", waitMs: null },
        });
      }
      expect(await progress(batches, RUN)).toMatchObject({ done: 0, openChunks: 1 });
    });

    for (const status of ["paused", "stuck"] as const) {
      test(`settles and gives nothing while the run is ${status}`, async ({ store, batches }) => {
        await opened(store);
        await planted(batches, RUN, spans(4));
        const [one] = await taken(batches, RUN, 2);
        if (!one) return expect.unreachable();
        await become(store, RUN, status);
        const answer = await advanced(batches, RUN, { settled: [settledOf(one)], take: 2, holding: [2] });
        expect(answer).toEqual({ results: ["settled"], taken: [], status: "open", waitMs: null });
        expect(await progress(batches, RUN)).toMatchObject({ done: 10, openChunks: 3, ownedChunks: 1 });
      });
    }

    test("keeps many chunks, and those of several batches, apart", async ({ store, batches }) => {
      await opened(store, { concurrency: 1_000 }, 1);
      await opened(store, { concurrency: 1_000 }, 2);
      await planted(batches, runId(1), spans(300, 3));
      await planted(batches, runId(2), spans(5, 7));
      const all = await taken(batches, runId(1), 250);
      expect(numbers(all)).toEqual(Array.from({ length: 250 }, (_, index) => index + 1));
      const settled = all.map((chunk) => settledOf(chunk));
      const { results, taken: rest } = await advanced(batches, runId(1), { settled, take: 1_000 });
      expect([results.filter((result) => result === "settled").length, rest.length]).toEqual([250, 50]);
      expect(await progress(batches, runId(1))).toMatchObject({ done: 750, openChunks: 50, ownedChunks: 50 });
      expect(await progress(batches, runId(2))).toMatchObject({ done: 0, openChunks: 5, ownedChunks: 0 });
    });

    several("gives two workers different chunks, within the batch's concurrency", async ({ store, batches }) => {
      await opened(store, { concurrency: 3 });
      await activate(store, "other");
      await planted(batches, RUN, spans(9));
      expect(numbers(await taken(batches, RUN, 2))).toEqual([1, 2]);
      const theirs = await taken(batches, RUN, 2, { worker: "other" });
      expect(numbers(theirs)).toEqual([3]);
      expect(await taken(batches, RUN, 2, { worker: "other", holding: [3] })).toEqual([]);
      const [three] = theirs;
      if (!three) return expect.unreachable();
      const next = await advanced(batches, RUN, { worker: "other", settled: [settledOf(three)], take: 2 });
      expect(numbers(next.taken)).toEqual([4]);
      expect(await progress(batches, RUN)).toMatchObject({ ownedChunks: 3 });
    });

    several("gives each chunk to one of many who ask at once", async ({ store, batches, reopen }) => {
      const workers = ["a", "b", "c", "d"];
      await opened(store, { concurrency: 24 });
      for (const worker of workers) await activate(store, worker);
      await planted(batches, RUN, spans(60), { isEnd: true });
      const stores = await Promise.all(workers.map(async () => (await reopen?.()) ?? store));
      let mostOwned = 0;
      const work = workers.map(async (worker, index) => {
        const own = stores[index]?.batches ?? batches;
        const numbersSeen: number[] = [];
        for (let settled: ReturnType<typeof settledOf>[] = []; ; ) {
          const answer = await own.advance({ run: RUN, worker, settled, take: 8, holding: [] });
          expect(answer.results).toEqual(settled.map(() => "settled"));
          if (answer.status === "ended") return numbersSeen;
          mostOwned = Math.max(mostOwned, (await progress(own, RUN)).ownedChunks);
          numbersSeen.push(...numbers(answer.taken));
          settled = answer.taken.map((chunk) => settledOf(chunk));
        }
      });
      const seen = (await Promise.all(work)).flat().sort((a, b) => a - b);
      expect(seen).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
      expect(mostOwned).toBeLessThanOrEqual(24);
      const end = { status: "ended", done: 600, failed: 0, openChunks: 0, ownedChunks: 0 };
      expect(await progress(batches, RUN)).toMatchObject(end);
    });
  });
}
