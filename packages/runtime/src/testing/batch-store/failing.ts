import { describe, expect } from "vitest";
import {
  activeFor,
  advanced,
  type BatchTests,
  failedItem,
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
  workThrough,
} from "./harness.js";

export function failing({ test }: BatchTests): void {
  describe("a budget of failures", () => {
    test("halts the batch with the first failure above it, and not before", async ({ store, batches }) => {
      await opened(store, { maxFailures: 3, concurrency: 9 });
      await planted(batches, RUN, spans(5));
      const [one, two, three] = await taken(batches, RUN, 3);
      if (!one || !two || !three) return expect.unreachable();
      expect(await advanced(batches, RUN, { settled: [settledOf(one, 3)] })).toMatchObject({ status: "open" });
      const over = await advanced(batches, RUN, { settled: [settledOf(two, 1)], take: 2, holding: [3] });
      expect(over).toEqual({ results: ["settled"], taken: [], status: "halted", waitMs: null });
      const { status, failure } = await progress(batches, RUN);
      expect({ status, failure }).toEqual({
        status: "halted",
        failure: {
          code: "too-many-failures",
          message: expect.stringContaining("expected 3 items to fail at most, got 4 of 20;"),
        },
      });
      // What is under way counts yet.
      expect(await advanced(batches, RUN, { settled: [settledOf(three, 2)] })).toMatchObject({ status: "halted" });
      expect(await progress(batches, RUN)).toMatchObject({ failure, failed: 6, done: 24, openChunks: 2 });
      expect(await activeFor(batches)).toMatchObject([{ status: "halted", untold: true, leads: false, takeable: 0 }]);
    });

    test("of no failures halts with the first one, also with the last chunk of all", async ({ store, batches }) => {
      await opened(store, { maxFailures: 0 });
      await planted(batches, RUN, spans(1), { isEnd: true });
      const [one] = await taken(batches, RUN, 1);
      if (!one) return expect.unreachable();
      expect(await advanced(batches, RUN, { settled: [settledOf(one, 1)] })).toMatchObject({ status: "halted" });
      expect(await progress(batches, RUN)).toMatchObject({ status: "halted", endedAt: null, openChunks: 0 });
    });

    test("without a bound ends with whatever failed", async ({ store, batches }) => {
      await opened(store, { maxFailures: null });
      await planted(batches, RUN, spans(1), { isEnd: true });
      const [one] = await taken(batches, RUN, 1);
      if (!one) return expect.unreachable();
      expect(await advanced(batches, RUN, { settled: [settledOf(one, 10)] })).toMatchObject({ status: "ended" });
    });

    test("as a part is judged from a hundred items on", async ({ store, batches }) => {
      await opened(store, { maxFailures: null, maxFailureRatio: 0.29, concurrency: 9 });
      await planted(batches, RUN, spans(9, 50));
      const [one, two, three] = await taken(batches, RUN, 3);
      if (!one || !two || !three) return expect.unreachable();
      expect(await advanced(batches, RUN, { settled: [settledOf(one, 29)] })).toMatchObject({ status: "open" });
      // 29 of 100 is no more than that part.
      expect(await advanced(batches, RUN, { settled: [settledOf(two)] })).toMatchObject({ status: "open" });
      expect(await advanced(batches, RUN, { settled: [settledOf(three, 15)] })).toMatchObject({ status: "halted" });
      expect((await progress(batches, RUN)).failure).toEqual({
        ...{
          code: "too-many-failures",
          message: expect.stringContaining("expected 0.29 of the items to fail at most, got 44 of 150;"),
        },
      });
    });

    test("as a part is judged at the end, of however few", async ({ store, batches }) => {
      await opened(store, { maxFailures: null, maxFailureRatio: 0.1, concurrency: 9 });
      await planted(batches, RUN, spans(2));
      const [one, two] = await taken(batches, RUN, 2);
      if (!one || !two) return expect.unreachable();
      await advanced(batches, RUN, { settled: [settledOf(one, 3), settledOf(two)] });
      expect(await progress(batches, RUN)).toMatchObject({ status: "open" });
      await planted(batches, RUN, [], { isEnd: true });
      expect(await progress(batches, RUN)).toMatchObject({ status: "halted", failure: { code: "too-many-failures" } });
    });
  });

  describe("a later round", () => {
    test("goes on with a halted batch, where it was, and forgives what failed", async ({ store, batches }) => {
      await opened(store, { maxFailures: 2, concurrency: 9 });
      await planted(batches, RUN, spans(4), { isEnd: true });
      const [one, two] = await taken(batches, RUN, 2);
      if (!one || !two) return expect.unreachable();
      await advanced(batches, RUN, { settled: [settledOf(one, 3)], holding: [2] });
      await batches.told(RUN, 1);
      expect(await activeFor(batches)).toEqual([]);
      await batches.open(newBatch(RUN), 1);
      expect(await progress(batches, RUN)).toMatchObject({ status: "halted" });
      await batches.open(newBatch(RUN), 2);
      await batches.open(newBatch(RUN), 2);
      expect(await progress(batches, RUN)).toMatchObject({ status: "open", failure: null, failed: 3 });
      const next = await advanced(batches, RUN, { settled: [settledOf(two, 2)], take: 9 });
      expect(next.status).toBe("open");
      expect(numbers(next.taken)).toEqual([3, 4]);
      const over = await advanced(batches, RUN, { settled: next.taken.map((chunk) => settledOf(chunk, 1)) });
      expect(over.status).toBe("halted");
      expect((await progress(batches, RUN)).failure?.message).toContain("got 4 of 30;");
    });

    test("goes on with one whose source had failed, from its cursor, under the same leader", async (under) => {
      const { store, batches } = under;
      await opened(store);
      await planted(batches, RUN, spans(2));
      const lead = await led(batches, RUN);
      await batches.halt(RUN, lead.fence, { code: "source-failed", message: "gone" });
      await batches.open(newBatch(RUN), 2);
      expect(await led(batches, RUN)).toEqual(lead);
      expect(await batches.plant(plantOf(RUN, lead, spans(1, 10, 3), { isEnd: true }))).toMatchObject({
        kind: "planted",
      });
      await workThrough(batches, RUN);
      expect(await progress(batches, RUN)).toMatchObject({ status: "ended", failure: null, done: 30 });
    });

    test("ends a halted batch that has nothing left", async ({ store, batches }) => {
      await opened(store);
      await planted(batches, RUN, spans(1), { isEnd: true });
      const [one] = await taken(batches, RUN, 1);
      if (!one) return expect.unreachable();
      await advanced(batches, RUN, { settled: [settledOf(one, 1)] });
      await batches.open(newBatch(RUN), 2);
      expect(await progress(batches, RUN)).toMatchObject({ status: "ended", failed: 1, done: 9, failure: null });
      expect(await activeFor(batches)).toMatchObject([{ status: "ended", round: 2, untold: true }]);
    });
  });

  describe("failed items", () => {
    test("are listed with their errors in the order of their failing, page by page", async (under) => {
      const { store, batches, near } = under;
      await opened(store, { maxFailures: 9 });
      await planted(batches, RUN, spans(2));
      const [one, two] = await taken(batches, RUN, 2);
      if (!one || !two) return expect.unreachable();
      const odd = failedItem("ü 😀", {
        item: { text: "\\u0000", list: [null, 1.5] },
        attempts: 0,
        error: { code: "http", message: "no", status: 503 },
      });
      const first = { ...settledOf(two), done: 8, failed: [odd, failedItem("b")] };
      await advanced(batches, RUN, { settled: [first], holding: [1] });
      const failedAt = near(await store.now());
      await advanced(batches, RUN, { settled: [settledOf(one, 1)] });
      const page = await batches.failures(RUN, { limit: 2 });
      expect(page).toEqual({
        items: [
          { ...odd, failedAt },
          { ...failedItem("b"), failedAt },
        ],
        nextCursor: expect.any(String),
      });
      const rest = await batches.failures(RUN, { limit: 2, cursor: page.nextCursor ?? "" });
      expect(rest).toMatchObject({ items: [{ key: "1-1" }], nextCursor: null });
      expect(await batches.failures("no id of a run", { limit: 1 })).toEqual({ items: [], nextCursor: null });
    });

    test("are kept whatever the text of their errors", async ({ store, batches }) => {
      await opened(store, { maxFailures: 9 });
      await planted(batches, RUN, spans(1));
      const [one] = await taken(batches, RUN, 1);
      if (!one) return expect.unreachable();
      const error = { code: "bad\0", message: `\ud800${"x".repeat(10_000)}` };
      const settled = { ...settledOf(one), done: 9, failed: [failedItem("a", { error })] };
      expect(await advanced(batches, RUN, { settled: [settled] })).toMatchObject({ results: ["settled"] });
      const [kept] = (await batches.failures(RUN, { limit: 1 })).items;
      expect(kept?.error).toEqual({ code: "bad\ufffd", message: expect.stringMatching(/^\ufffdx{3999}$/) });
    });

    test("are tried anew as one more chunk, the first ones first", async ({ store, batches }) => {
      await opened(store, { maxFailures: 5 });
      await planted(batches, RUN, spans(2), { isEnd: true });
      const [one, two] = await taken(batches, RUN, 2);
      if (!one || !two) return expect.unreachable();
      await advanced(batches, RUN, { settled: [settledOf(one, 3)], holding: [2] });
      expect(await batches.requeue(RUN, 2, { again: 1 })).toBe(2);
      expect(await progress(batches, RUN)).toMatchObject({ failed: 1, done: 7, planted: 20, openChunks: 2 });
      expect((await batches.failures(RUN, { limit: 9 })).items.map(({ key }) => key)).toEqual(["1-3"]);
      const answer = await advanced(batches, RUN, { settled: [settledOf(two)], take: 9 });
      expect(answer.status).toBe("open");
      const items = ["1-1", "1-2"].map((key) => ({ key, item: { id: key } }));
      const [chunk] = answer.taken;
      expect(chunk).toMatchObject({ n: 3, from: { again: 1 }, to: null, size: 2, items, crashes: 0, marked: null });
      if (!chunk) return expect.unreachable();
      expect(await advanced(batches, RUN, { settled: [settledOf(chunk)] })).toMatchObject({ status: "ended" });
      expect(await progress(batches, RUN)).toMatchObject({ failed: 1, done: 19, total: 20 });
    });

    test("of a halted batch are tried in its next round", async ({ store, batches }) => {
      await opened(store, { maxFailures: 1 });
      await planted(batches, RUN, spans(1), { isEnd: true });
      const [one] = await taken(batches, RUN, 1);
      if (!one) return expect.unreachable();
      await advanced(batches, RUN, { settled: [settledOf(one, 2)] });
      expect(await batches.requeue(RUN, 10, null)).toBe(2);
      expect(await batches.requeue(RUN, 10, null)).toBe(0);
      expect(await taken(batches, RUN, 1)).toEqual([]);
      await batches.open(newBatch(RUN), 2);
      await workThrough(batches, RUN);
      expect(await progress(batches, RUN)).toMatchObject({ status: "ended", done: 10, failed: 0 });
    });

    test("that are tried anew take the lead away from whoever has it", async ({ store, batches }) => {
      await opened(store, { maxFailures: 5 });
      await planted(batches, RUN, spans(1));
      const [one] = await taken(batches, RUN, 1);
      if (!one) return expect.unreachable();
      const lead = await led(batches, RUN);
      await advanced(batches, RUN, { settled: [settledOf(one, 1)] });
      await batches.requeue(RUN, 1, null);
      expect(await batches.plant(plantOf(RUN, lead, spans(1, 10, 2)))).toEqual({ kind: "lost" });
      expect(await led(batches, RUN)).toEqual({ fence: lead.fence + 2, cursor: { place: 1 }, next: 3 });
    });

    test("of a batch that closes, has ended or is unknown are not tried anew", async ({ store, batches }) => {
      await opened(store, { maxFailures: 5 });
      await planted(batches, RUN, spans(2));
      const [one, two] = await taken(batches, RUN, 2);
      if (!one || !two) return expect.unreachable();
      await advanced(batches, RUN, { settled: [settledOf(one, 1)], holding: [2] });
      await batches.close(RUN);
      expect(await batches.requeue(RUN, 1, null)).toBe(0);
      await advanced(batches, RUN, { settled: [settledOf(two)] });
      expect(await batches.requeue(RUN, 1, null)).toBe(0);
      expect(await batches.requeue("no id of a run", 1, null)).toBe(0);
      expect((await batches.failures(RUN, { limit: 9 })).items.length).toBe(1);
    });
  });
}
