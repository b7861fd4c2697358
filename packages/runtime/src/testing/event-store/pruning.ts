import { describe, expect } from "vitest";
import { shardOf } from "../../store/event-shard.js";
import {
  begun,
  done,
  type EventBench,
  type EventTest,
  GROUP,
  idsIn,
  isHandled,
  keyIn,
  leaseOf,
  newEvent,
  newEvents,
  readAll,
} from "./harness.js";

export function pruning(test: EventTest): void {
  describe("pruneOutbox", () => {
    test("deletes what was stored before, the oldest first, at most so many", async (under) => {
      const { events } = under;
      await events.put(newEvents(1, 5));
      const before = await pause(under);
      await events.put(newEvents(6, 7));
      await pause(under);
      expect(await events.pruneOutbox(before, 2)).toBe(2);
      expect(await idsIn(events)).toEqual(["event-3", "event-4", "event-5", "event-6", "event-7"]);
      expect(await events.pruneOutbox(before, 100)).toBe(3);
      expect(await events.pruneOutbox(before, 100)).toBe(0);
      expect(await idsIn(events)).toEqual(["event-6", "event-7"]);
    });

    test("keeps what was stored at that time", async ({ events, advance, tickMs }) => {
      await events.put([newEvent(1)]);
      await advance(2 * tickMs);
      const storedAt = (await readAll(events, shardOf("order-1")))[0]?.storedAt ?? expect.fail();
      expect(await events.pruneOutbox(storedAt, 100)).toBe(0);
      expect(await events.pruneOutbox(storedAt + 1, 100)).toBe(1);
    });

    test("counts its limit over all shards", async (under) => {
      const { events } = under;
      for (let shard = 0; shard < 16; shard += 1) await events.put([newEvent(shard, { key: keyIn(shard) })]);
      const before = await pause(under);
      expect(await events.pruneOutbox(before, 10)).toBe(10);
      expect(await events.pruneOutbox(before, 10)).toBe(6);
      expect(await idsIn(events)).toEqual([]);
    });

    test("waits for every group", async (under) => {
      const { events } = under;
      await events.put(newEvents(1, 4, { key: keyIn(5) }));
      const before = await pause(under);
      await done(events, 5, 3, "billing");
      await leaseOf(events, 5, "member");
      expect(await events.pruneOutbox(before, 100)).toBe(0);
      await done(events, 5, 2);
      expect(await events.pruneOutbox(before, 100)).toBe(2);
      expect(await idsIn(events)).toEqual(["event-3", "event-4"]);
      await events.forgetGroup(GROUP);
      expect(await events.pruneOutbox(before, 100)).toBe(1);
      expect(await idsIn(events)).toEqual(["event-4"]);
    });

    test("waits for a group that went back", async (under) => {
      const { events } = under;
      await events.put(newEvents(1, 2, { key: keyIn(5) }));
      const before = await pause(under);
      await done(events, 5, 2);
      await done(events, 5, 0);
      expect(await events.pruneOutbox(before, 100)).toBe(0);
    });

    test("frees the ids of what it deletes", async (under) => {
      const { events } = under;
      await events.put([newEvent(1)]);
      await events.pruneOutbox(await pause(under), 100);
      expect(await events.put([newEvent(1)])).toEqual([{ kind: "stored" }]);
    });
  });

  describe("pruneHandled", () => {
    test("forgets which events were handled before, at most so many, and they come as new", async (under) => {
      const { store, events } = under;
      const start = await store.now();
      for (const id of ["a", "b", "c"]) await (await begun(events, id)).commit();
      expect(await events.pruneHandled(start, 100)).toBe(0);
      const before = await pause(under);
      await (await begun(events, "d")).commit();
      await pause(under);
      expect(await events.pruneHandled(before, 2)).toBe(2);
      expect(await events.pruneHandled(before, 2)).toBe(1);
      expect(await events.pruneHandled(before, 2)).toBe(0);
      for (const id of ["a", "b", "c"]) expect(await isHandled(events, id)).toBe(false);
      expect(await isHandled(events, "d")).toBe(true);
    });
  });
}

/** A time between what is stored so far and what will be. */
async function pause({ store, advance, tickMs }: EventBench): Promise<number> {
  await advance(2 * tickMs);
  const time = (await store.now()) - tickMs;
  await advance(2 * tickMs);
  return time;
}
