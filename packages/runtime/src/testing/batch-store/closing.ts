import { describe, expect } from "vitest";
import {
  activeFor,
  advanced,
  type BatchTests,
  led,
  opened,
  planted,
  progress,
  RUN,
  settledOf,
  spans,
  taken,
  WORKER,
} from "./harness.js";

export function closing({ test }: BatchTests): void {
  describe("close", () => {
    test("ends a batch that nobody works on, and drops what is left", async ({ store, batches, near }) => {
      await opened(store);
      await planted(batches, RUN, spans(3));
      expect(await batches.close(RUN)).toBe("closed");
      const endedAt = near(await store.now());
      expect(await progress(batches, RUN)).toMatchObject({ status: "ended", openChunks: 0, planted: 30, endedAt });
      expect(await taken(batches, RUN, 3)).toEqual([]);
      expect(await batches.close(RUN)).toBe("closed");
      expect(await batches.close("no id of a run")).toBe("closed");
      expect(await activeFor(batches)).toMatchObject([{ status: "ended", untold: true }]);
    });

    test("waits for what is under way, and gives nothing more", async ({ store, batches }) => {
      await opened(store);
      await planted(batches, RUN, spans(4));
      const [one, two] = await taken(batches, RUN, 2);
      if (!one || !two) return expect.unreachable();
      expect(await batches.close(RUN)).toBe("closing");
      expect(await batches.close(RUN)).toBe("closing");
      expect(await activeFor(batches)).toMatchObject([{ status: "closing", leads: false, takeable: 2, untold: false }]);
      const settled = [settledOf(one, 5)];
      expect(await advanced(batches, RUN, { settled, take: 3, holding: [2] })).toMatchObject({
        status: "closing",
        taken: [],
      });
      expect(await advanced(batches, RUN, { settled: [settledOf(two)] })).toMatchObject({ status: "ended" });
      expect(await progress(batches, RUN)).toMatchObject({ done: 15, failed: 5, openChunks: 0, failure: null });
      expect(await batches.close(RUN)).toBe("closed");
    });

    test("drops what a reply gave that was lost", async ({ store, batches }) => {
      await opened(store);
      await planted(batches, RUN, spans(2));
      await taken(batches, RUN, 2);
      await batches.close(RUN);
      expect(await advanced(batches, RUN, { take: 0, holding: [2] })).toMatchObject({ status: "closing" });
      expect(await progress(batches, RUN)).toMatchObject({ openChunks: 1, ownedChunks: 1 });
      expect(await advanced(batches, RUN, { take: 0, holding: [] })).toMatchObject({ status: "ended" });
    });

    test("drops the chunks of a worker that dies meanwhile", async ({ store, batches }) => {
      await opened(store);
      await planted(batches, RUN, spans(2));
      const [one] = await taken(batches, RUN, 1);
      if (!one) return expect.unreachable();
      await batches.close(RUN);
      await store.retire(WORKER);
      expect(await progress(batches, RUN)).toMatchObject({ status: "ended", openChunks: 0, ownedChunks: 0 });
      expect(await advanced(batches, RUN, { settled: [settledOf(one)] })).toMatchObject({ results: ["lost"] });
    });

    test("ends a halted batch, also one whose run was told", async ({ store, batches }) => {
      await opened(store);
      await planted(batches, RUN, spans(2));
      const { fence } = await led(batches, RUN);
      await batches.halt(RUN, fence, { code: "source-failed", message: "gone" });
      await batches.told(RUN, 1);
      expect(await batches.close(RUN)).toBe("closed");
      expect(await progress(batches, RUN)).toMatchObject({ status: "ended", openChunks: 0 });
    });
  });
}
