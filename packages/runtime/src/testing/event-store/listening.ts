import { describe, expect } from "vitest";
import { activate, appendOne, claimOne, newRun, nextAppend } from "../run-store-contract/harness.js";
import { begun, type EventBench, type EventTest, keyIn, newEvent } from "./harness.js";

export function listening(test: EventTest): void {
  const offered = (
    title: string,
    body: (under: EventBench, hear: (shard: number) => Promise<void>) => Promise<void>,
  ): void =>
    test(title, async (under) => {
      // A store that tells nobody leaves it out; who reads then polls.
      if (under.events.listen === undefined) return;
      const heard = new Set<number>();
      let wake = (): void => {};
      under.events.listen((shards) => {
        for (const shard of shards) heard.add(shard);
        wake();
      });
      const hear = async (shard: number): Promise<void> => {
        while (!heard.has(shard))
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      };
      await body(under, hear);
    });

  describe("listen", () => {
    offered(
      "tells of events that were put, with a run, a row or a transaction too",
      async ({ store, events }, hear) => {
        await events.put([newEvent(1, { key: keyIn(1) }), newEvent(2, { key: keyIn(2) })]);
        await hear(1);
        await hear(2);
        const run = await claimOne(store, "w");
        await appendOne(store, nextAppend(run, { events: [newEvent(3, { key: keyIn(3) })] }));
        await hear(3);
        await store.create([newRun(9, { events: [newEvent(4, { key: keyIn(4) })] })]);
        await hear(4);
        const transaction = await begun(events, "incoming");
        const putting = events.putWithin(transaction.client, [newEvent(5, { key: keyIn(5) })]);
        if (putting instanceof Promise) await putting;
        await transaction.commit();
        await hear(5);
        await activate(store, "w", [run.id]);
        const step = (await store.begin?.()) ?? expect.fail("expected the store to begin a transaction");
        const within = events.putWithin(step.client, [newEvent(6, { key: keyIn(6) })]);
        if (within instanceof Promise) await within;
        await step.commit(nextAppend({ ...run, seq: 1 }, { events: [newEvent(7, { key: keyIn(7) })] }));
        await hear(6);
        await hear(7);
      },
    );
  });
}
