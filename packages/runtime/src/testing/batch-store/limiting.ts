import { describe, expect } from "vitest";
import { activate } from "../run-store-contract/harness.js";
import {
  advanced,
  type BatchBench,
  type BatchTests,
  led,
  newBatch,
  numbers,
  opened,
  planted,
  plantOf,
  progress,
  RUN,
  settledOf,
  spans,
  taken,
  takenOf,
  WORKER,
} from "./harness.js";

const MINUTE_MS = 60_000;

/** That much later, with the worker's lease renewed. */
async function later({ store, advance }: BatchBench, ms: number): Promise<void> {
  await advance(ms);
  await activate(store, WORKER);
}

export function limiting({ test }: BatchTests): void {
  describe("a rate", () => {
    // Ten items in a minute: a chunk of five begins every half minute.
    const rateLimit = { max: 10, windowMs: MINUTE_MS };

    test("has chunks begin as far apart as their items need", async (under) => {
      const { store, batches, tickMs } = under;
      await opened(store, { concurrency: 10, rateLimit });
      await planted(batches, RUN, spans(9, 5));
      const first = await advanced(batches, RUN, { take: 9 });
      expect(first.taken).toMatchObject([{ n: 1, paceMs: 6_000 }]);
      const waitMs = first.waitMs ?? expect.fail("expected to be told to wait");
      expect(waitMs).toBeGreaterThan(MINUTE_MS / 2 - tickMs - 1);
      expect(waitMs).toBeLessThanOrEqual(MINUTE_MS / 2);
      await later(under, waitMs - tickMs);
      const early = await advanced(batches, RUN, { take: 9, holding: [1] });
      expect(early.taken).toEqual([]);
      expect(early.waitMs ?? 0).toBeGreaterThan(0);
      await later(under, tickMs);
      expect(numbers(await taken(batches, RUN, 9, { holding: [1] }))).toEqual([2]);
    });

    test("saves nothing up while nobody asks", async (under) => {
      const { store, batches } = under;
      await opened(store, { concurrency: 10, rateLimit });
      await planted(batches, RUN, spans(9, 5));
      await later(under, 10 * MINUTE_MS);
      expect(numbers(await taken(batches, RUN, 9))).toEqual([1]);
    });

    test("counts larger chunks for what they are, also those that the leader takes", async (under) => {
      const { store, batches, tickMs } = under;
      await opened(store, { concurrency: 10, rateLimit });
      const lead = await led(batches, RUN);
      const given = takenOf(await batches.plant(plantOf(RUN, lead, spans(3, 20), { take: 3 })));
      expect(numbers(given)).toEqual([1]);
      await later(under, 2 * MINUTE_MS - 2 * tickMs - 100);
      expect(await taken(batches, RUN, 3, { holding: [1] })).toEqual([]);
      await later(under, 2 * tickMs + 100);
      expect(numbers(await taken(batches, RUN, 3, { holding: [1] }))).toEqual([2]);
    });

    test("does not keep back what is settled, nor what a lost reply gave", async ({ store, batches }) => {
      await opened(store, { concurrency: 10, rateLimit });
      await planted(batches, RUN, spans(9, 5));
      const given = await taken(batches, RUN, 1);
      expect(await advanced(batches, RUN, { take: 3 })).toMatchObject({ taken: given, waitMs: expect.any(Number) });
      const settled = given.map((chunk) => settledOf(chunk));
      expect(await advanced(batches, RUN, { settled, take: 1 })).toMatchObject({ results: ["settled"], taken: [] });
      expect(await progress(batches, RUN)).toMatchObject({ done: 5 });
    });

    test("makes nobody wait when there is no chunk, no room, or no wish", async ({ store, batches }) => {
      await opened(store, { concurrency: 1, rateLimit });
      await planted(batches, RUN, spans(2, 5), { take: 1 });
      expect(await advanced(batches, RUN, { take: 1, holding: [1] })).toMatchObject({ taken: [], waitMs: null });
      expect(await advanced(batches, RUN, { take: 0, holding: [1] })).toMatchObject({ taken: [], waitMs: null });
      await opened(store, { rateLimit }, 2);
      await batches.open(newBatch(RUN), 1);
      const none = await advanced(batches, RUN.replace(/1$/, "2"), { take: 1 });
      expect(none).toMatchObject({ taken: [], waitMs: null });
    });

    test("of many items in a moment gives several chunks at once, when it was asked late", async (under) => {
      const { store, batches } = under;
      await opened(store, { concurrency: 100, rateLimit: { max: 1_000_000, windowMs: MINUTE_MS * 60 } });
      // A chunk every 36 ms.
      await planted(batches, RUN, spans(50, 10));
      expect(numbers(await taken(batches, RUN, 1))).toEqual([1]);
      let given = 1;
      for (let looks = 0; looks < 10; looks += 1) {
        await later(under, 72);
        const holding = Array.from({ length: given }, (_, index) => index + 1);
        given += (await taken(batches, RUN, 9, { holding })).length;
      }
      // 720 ms or a little more.
      expect(given).toBeGreaterThanOrEqual(20);
    });
  });
}
