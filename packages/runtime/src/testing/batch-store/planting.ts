import { describe, expect } from "vitest";
import { activate, LEASE_MS, runId } from "../run-store-contract/harness.js";
import {
  advanced,
  type BatchTests,
  become,
  led,
  numbers,
  opened,
  planted,
  plantOf,
  progress,
  RUN,
  spans,
  taken,
  takenOf,
  WORKER,
  workThrough,
} from "./harness.js";

export function planting({ test, several }: BatchTests): void {
  describe("lead and plant", () => {
    test("plants chunks behind each other, and goes on from the cursor", async ({ store, batches }) => {
      await opened(store);
      const first = await led(batches, RUN);
      expect(await batches.plant(plantOf(RUN, first, spans(3), { total: 50 }))).toEqual({ kind: "planted", taken: [] });
      const second = await led(batches, RUN);
      expect(second).toEqual({ fence: first.fence, cursor: { place: 3 }, next: 4 });
      await batches.plant(plantOf(RUN, second, spans(2, 7, 4)));
      expect(await progress(batches, RUN)).toMatchObject({ planted: 44, openChunks: 5, ownedChunks: 0, total: 50 });
      expect(await led(batches, RUN)).toEqual({ fence: first.fence, cursor: { place: 5 }, next: 6 });
    });

    test("sent again is planted again, once, and gives what was taken by advance", async ({ store, batches }) => {
      await opened(store);
      const lead = await led(batches, RUN);
      const request = plantOf(RUN, lead, spans(3), { take: 2 });
      const given = takenOf(await batches.plant(request));
      expect(numbers(given)).toEqual([1, 2]);
      expect(await batches.plant(request)).toEqual({ kind: "planted", taken: [] });
      expect(await progress(batches, RUN)).toMatchObject({ planted: 30, openChunks: 3, ownedChunks: 2 });
      expect(await taken(batches, RUN, 2)).toEqual(given);
    });

    test("gives the leader chunks with what it needs of them", async ({ store, batches }) => {
      await opened(store);
      const items = [
        { key: "a", item: { text: "ü 😀 \\u0000 \\ud800", list: [1.5, null] } },
        { key: "b", item: null },
      ];
      const kept = { from: null, to: { after: ["b", 2] }, size: 2, items };
      const [chunk, ...others] = await planted(batches, RUN, [kept, ...spans(5)], { take: 1 });
      expect(others).toEqual([]);
      expect(chunk).toEqual({ run: RUN, n: 1, fence: 1, crashes: 0, marked: null, paceMs: 0, ...kept });
    });

    test("gives no more than the batch's concurrency, and nothing without being asked", async ({ store, batches }) => {
      await opened(store, { concurrency: 3 });
      expect(await planted(batches, RUN, spans(2))).toEqual([]);
      expect(numbers(await taken(batches, RUN, 2))).toEqual([1, 2]);
      expect(numbers(await planted(batches, RUN, spans(4, 10, 3), { take: 4 }))).toEqual([3]);
    });

    test("ends a batch without a chunk when its source is at its end", async ({ store, batches, near }) => {
      await opened(store);
      const request = plantOf(RUN, await led(batches, RUN), [], { isEnd: true });
      expect(await batches.plant(request)).toEqual({ kind: "planted", taken: [] });
      const endedAt = near(await store.now());
      expect(await progress(batches, RUN)).toMatchObject({ status: "ended", total: 0, planted: 0, endedAt });
      expect(await batches.plant(request)).toEqual({ kind: "planted", taken: [] });
      expect(await batches.lead(RUN, WORKER)).toBeNull();
    });

    test("ends a batch whose chunks were all settled before its source was at its end", async ({ store, batches }) => {
      await opened(store);
      await planted(batches, RUN, spans(2));
      await workThrough(batches, RUN);
      expect(await progress(batches, RUN)).toMatchObject({ status: "open", done: 20 });
      await planted(batches, RUN, [], { isEnd: true });
      expect(await progress(batches, RUN)).toMatchObject({ status: "ended", done: 20, total: 20 });
    });

    test("is for the newest fence and the next number only", async ({ store, batches }) => {
      await opened(store);
      const lead = await led(batches, RUN);
      expect(await batches.plant(plantOf(RUN, { ...lead, fence: lead.fence + 1 }, spans(1)))).toEqual({ kind: "lost" });
      expect(await batches.plant(plantOf(RUN, { ...lead, fence: lead.fence - 1 }, spans(1)))).toEqual({ kind: "lost" });
      expect(await batches.plant(plantOf(RUN, { ...lead, next: 2 }, spans(1)))).toEqual({ kind: "lost" });
      expect(await batches.plant(plantOf(runId(9), lead, spans(1)))).toEqual({ kind: "lost" });
      expect(await batches.plant(plantOf("no id of a run", lead, spans(1)))).toEqual({ kind: "lost" });
      expect(await progress(batches, RUN)).toMatchObject({ planted: 0, openChunks: 0 });
    });

    test("stops while the run does not go on, and leads nobody", async ({ store, batches }) => {
      await opened(store);
      const lead = await led(batches, RUN);
      await become(store, RUN, "paused");
      expect(await batches.plant(plantOf(RUN, lead, spans(1), { take: 1 }))).toEqual({ kind: "stopped" });
      expect(await batches.lead(RUN, WORKER)).toBeNull();
      expect(await progress(batches, RUN)).toMatchObject({ planted: 0 });
    });

    test("goes on while the run waits", async ({ store, batches }) => {
      await opened(store);
      await become(store, RUN, "waiting");
      expect(numbers(await planted(batches, RUN, spans(2), { take: 1 }))).toEqual([1]);
      expect(numbers(await taken(batches, RUN, 1, { holding: [1] }))).toEqual([2]);
    });

    test("stops when the batch is halted, and when it closes", async ({ store, batches }) => {
      await opened(store);
      const lead = await led(batches, RUN);
      const failure = { code: "source-failed", message: "no such page", status: 404 };
      expect(await batches.halt(RUN, lead.fence + 1, failure)).toBe(false);
      expect(await batches.halt(runId(9), 1, failure)).toBe(false);
      expect(await batches.halt(RUN, lead.fence, failure)).toBe(true);
      expect(await batches.halt(RUN, lead.fence, { code: "other", message: "later" })).toBe(true);
      expect(await progress(batches, RUN)).toMatchObject({ status: "halted", failure });
      expect(await batches.plant(plantOf(RUN, lead, spans(1)))).toEqual({ kind: "stopped" });
      expect(await batches.lead(RUN, WORKER)).toBeNull();
      expect(await batches.close(RUN)).toBe("closed");
      expect(await batches.plant(plantOf(RUN, lead, spans(1)))).toEqual({ kind: "stopped" });
      expect(await batches.halt(RUN, lead.fence, failure)).toBe(true);
      expect(await progress(batches, RUN)).toMatchObject({ status: "ended" });
    });

    test("is nobody's whose lease ran out, and goes over to the next", async ({ store, batches, advance }) => {
      await opened(store);
      const old = await led(batches, RUN);
      await batches.plant(plantOf(RUN, old, spans(2)));
      await advance(LEASE_MS);
      expect(await batches.lead(RUN, WORKER)).toBeNull();
      await activate(store, "new");
      expect(await led(batches, RUN, "new")).toEqual({ fence: old.fence + 1, cursor: { place: 2 }, next: 3 });
      const late = plantOf(RUN, { ...old, next: 3 }, spans(1, 10, 3));
      expect(await batches.plant(late)).toEqual({ kind: "lost" });
      expect(await batches.halt(RUN, old.fence, { code: "x", message: "y" })).toBe(false);
      expect(await progress(batches, RUN)).toMatchObject({ status: "open", planted: 20 });
    });

    several("is one worker's at a time", async ({ store, batches }) => {
      await opened(store);
      await activate(store, "other");
      const lead = await led(batches, RUN);
      expect(await batches.lead(RUN, "other")).toBeNull();
      expect(await led(batches, RUN)).toEqual(lead);
      await store.retire(WORKER);
      expect((await led(batches, RUN, "other")).fence).toBe(lead.fence + 1);
    });

    test("gives nothing to a worker that is not active", async ({ store, batches, advance }) => {
      await opened(store);
      const lead = await led(batches, RUN);
      await advance(LEASE_MS);
      expect(await batches.plant(plantOf(RUN, lead, spans(2), { take: 2 }))).toEqual({ kind: "planted", taken: [] });
      expect(await advanced(batches, RUN, { take: 2 })).toMatchObject({ taken: [], status: "open", waitMs: null });
      expect(await advanced(batches, RUN, { take: 2, worker: "unknown" })).toMatchObject({ taken: [] });
      expect(await progress(batches, RUN)).toMatchObject({ openChunks: 2, ownedChunks: 0 });
    });
  });
}
