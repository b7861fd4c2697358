import { describe, expect } from "vitest";
import { runId } from "../run-store-contract/harness.js";
import {
  activeFor,
  type BatchTests,
  become,
  led,
  newBatch,
  opened,
  planted,
  progress,
  RUN,
  running,
  spans,
  workThrough,
} from "./harness.js";

export function opening({ test }: BatchTests): void {
  describe("open", () => {
    test("begins with nothing", async ({ store, batches, near }) => {
      await opened(store);
      const at = near(await store.now());
      expect(await progress(batches, RUN)).toEqual({
        ...{ run: RUN, status: "open", failure: null, done: 0, failed: 0, skipped: 0, planted: 0, total: null },
        ...{ openChunks: 0, ownedChunks: 0, rate: null, startedAt: at, updatedAt: at, endedAt: null },
      });
      expect(await led(batches, RUN)).toEqual({ fence: 1, cursor: null, next: 1 });
    });

    test("once more, in the same round or an older one, changes nothing", async ({ store, batches }) => {
      await opened(store);
      await planted(batches, RUN, spans(2));
      await batches.open(newBatch(RUN, { concurrency: 99 }), 1);
      expect(await progress(batches, RUN)).toMatchObject({ planted: 20, openChunks: 2 });
      expect((await activeFor(batches))[0]).toMatchObject({ takeable: 2, round: 1 });
    });

    test("of a later round while it is open notes the round, no more", async ({ store, batches }) => {
      await opened(store);
      await planted(batches, RUN, spans(2));
      await batches.open(newBatch(RUN), 3);
      await batches.open(newBatch(RUN), 2);
      expect(await activeFor(batches)).toMatchObject([{ run: RUN, round: 3, status: "open", takeable: 2 }]);
    });

    test("of a later round when it has ended leaves it so, and it is to be told again", async ({ store, batches }) => {
      await opened(store);
      await planted(batches, RUN, spans(1), { isEnd: true });
      await workThrough(batches, RUN);
      await batches.told(RUN, 1);
      expect(await activeFor(batches)).toEqual([]);
      await batches.open(newBatch(RUN), 2);
      expect(await activeFor(batches)).toMatchObject([{ run: RUN, status: "ended", round: 2, untold: true }]);
      await batches.told(RUN, 1);
      expect(await activeFor(batches)).toMatchObject([{ untold: true }]);
      await batches.told(RUN, 2);
      expect(await activeFor(batches)).toEqual([]);
    });

    test("does nothing for a run that is unknown or has ended", async ({ store, batches }) => {
      await running(store);
      await become(store, RUN, "completed");
      await batches.open(newBatch(RUN), 1);
      await batches.open(newBatch(runId(99)), 1);
      await batches.open(newBatch("no id of a run"), 1);
      expect([await batches.get(RUN), await batches.get(runId(99)), await batches.get("no id of a run")]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    });
  });
}
