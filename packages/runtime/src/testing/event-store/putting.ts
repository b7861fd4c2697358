import { describe, expect } from "vitest";
import { type EventMessage, MAX_EVENT_BYTES } from "../../broker/event-message.js";
import { shardOf } from "../../store/event-shard.js";
import { first } from "../run-store-contract/harness.js";
import { type EventTest, idsIn, keyIn, newEvent, newEvents, readAll } from "./harness.js";

export function putting(test: EventTest): void {
  describe("put", () => {
    test("stores each event in the shard of its key, at the store's time", async ({ store, events, near }) => {
      const all = [newEvent(1, { key: keyIn(0) }), newEvent(2, { key: keyIn(15) }), newEvent(3, { key: keyIn(7) })];
      const at = near(await store.now());
      expect(await events.put(all)).toEqual([{ kind: "stored" }, { kind: "stored" }, { kind: "stored" }]);
      for (const event of all)
        expect(await readAll(events, shardOf(event.key))).toEqual([
          { position: expect.any(String), event, storedAt: at },
        ]);
      expect(await events.put([])).toEqual([]);
    });

    test("stores an event once, whoever puts it again and whatever is in it then", async ({ events, another }) => {
      const other = await another();
      expect(await events.put([newEvent(1), newEvent(1)])).toEqual([{ kind: "stored" }, { kind: "duplicate" }]);
      const changed = newEvent(1, { key: "another key", body: "changed" });
      expect(await other.put([newEvent(2), changed, newEvent(2)])).toEqual([
        { kind: "stored" },
        { kind: "duplicate" },
        { kind: "duplicate" },
      ]);
      expect((await idsIn(events)).sort()).toEqual(["event-1", "event-2"]);
      expect((await readAll(events, shardOf("order-1")))[0]?.event).toEqual(newEvent(1));
    });

    test("stores an event once for many who put it at the same time", async ({ events, another }) => {
      const stores = [events, await another()];
      const calls = Array.from({ length: 20 }, (_, n) => stores[n % 2]?.put([newEvent(1), newEvent(2 + n)]) ?? []);
      const results = (await Promise.all(calls)).map(([shared]) => shared?.kind);
      expect(results.filter((kind) => kind === "stored").length).toBe(1);
      expect(results.filter((kind) => kind === "duplicate").length).toBe(19);
      expect((await idsIn(events)).length).toBe(21);
    });

    test("keeps the order of a key, over batches and stores", async ({ events, another }) => {
      const other = await another();
      const mixed = (from: number): EventMessage[] =>
        newEvents(from, from + 9).map((event, n) => ({ ...event, key: n % 2 === 0 ? "even" : "odd" }));
      for (let from = 0; from < 60; from += 10) await (from % 20 === 0 ? events : other).put(mixed(from));
      for (const [key, n] of [
        ["even", 0],
        ["odd", 1],
      ] as const) {
        const stored = (await readAll(events, shardOf(key))).filter(({ event }) => event.key === key);
        expect(stored.map(({ event }) => event.id)).toEqual(
          Array.from({ length: 30 }, (_, index) => `event-${2 * index + n}`),
        );
      }
    });

    test("keeps every text as it is, up to its bounds", async ({ events }) => {
      const bodies = ["", "\\u0000 \\ud800", "\u0001\n\u2028'\"\\", "😀é", "x".repeat(MAX_EVENT_BYTES)];
      const all = bodies.map((body, n) => newEvent(n, { body }));
      const longest = newEvent(9, { id: "!~".repeat(64), key: "😀".repeat(128), subject: `a.${"b".repeat(198)}` });
      expect((await events.put([...all, longest])).every(({ kind }) => kind === "stored")).toBe(true);
      expect((await readAll(events, shardOf("order-1"))).map(({ event }) => event)).toEqual(all);
      expect(
        first(
          await readAll(events, shardOf(longest.key)).then((found) =>
            found.filter(({ event }) => event.key === longest.key),
          ),
        ).event,
      ).toEqual(longest);
    });
  });
}
