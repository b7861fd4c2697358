import { describe, expect } from "vitest";
import { shardOf } from "../../store/event-shard.js";
import { begun, type EventTest, keyIn, newEvent, newEvents, readAll } from "./harness.js";

const SHARD = shardOf("order-1");

export function reading(test: EventTest): void {
  describe("read", () => {
    test("gives a shard in pages, oldest first, and only what is behind the position", async ({ events, another }) => {
      await events.put(newEvents(1, 7));
      await events.put([newEvent(8, { key: keyIn((SHARD + 1) % 16) })]);
      const ids = newEvents(1, 7).map(({ id }) => id);
      for (const pageSize of [1, 3, 7, 100])
        expect((await readAll(events, SHARD, null, pageSize)).map(({ event }) => event.id)).toEqual(ids);
      const [, second, third] = await readAll(await another(), SHARD);
      expect(await events.read(SHARD, second?.position ?? null, 1)).toEqual([third]);
    });

    test("gives nothing at the end, and later what has come since", async ({ events }) => {
      expect(await events.read(SHARD, null, 10)).toEqual([]);
      await events.put(newEvents(1, 2));
      const end = (await readAll(events, SHARD)).at(-1)?.position ?? null;
      expect(await events.read(SHARD, end, 10)).toEqual([]);
      await events.put([newEvent(3)]);
      expect((await events.read(SHARD, end, 10)).map(({ event }) => event.id)).toEqual(["event-3"]);
    });

    test("goes on behind the position when everything before was deleted", async ({
      store,
      events,
      advance,
      tickMs,
    }) => {
      await events.put(newEvents(1, 3));
      const end = (await readAll(events, SHARD)).at(-1)?.position ?? null;
      await advance(2 * tickMs);
      expect(await events.pruneOutbox((await store.now()) - tickMs, 100)).toBe(3);
      await events.put([newEvent(4)]);
      expect((await events.read(SHARD, end, 10)).map(({ event }) => event.id)).toEqual(["event-4"]);
    });

    test("never passes an event by that is committed late", async ({ events, another }) => {
      const other = await another();
      await events.put([newEvent(0)]);
      const transaction = await begun(events, "incoming");
      const late = events.putWithin(transaction.client, [newEvent(1)]);
      if (late instanceof Promise) await late;
      const early = other.put([newEvent(2)]);
      // Only where a transaction outlives the turn it began in does anybody read meanwhile.
      const seen = late instanceof Promise ? await readAll(other, SHARD) : [];
      await transaction.commit();
      await early;
      const rest = await readAll(other, SHARD, seen.at(-1)?.position ?? null);
      expect([...seen, ...rest].map(({ event }) => event.id).sort()).toEqual(["event-0", "event-1", "event-2"]);
    });
  });
}
