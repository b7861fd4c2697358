import { describe, expect } from "vitest";
import { shardOf } from "../../store/event-shard.js";
import { LEASE_MS } from "../run-store-contract/harness.js";
import { type EventTest, GROUP, leased, leaseOf, newEvents, readAll } from "./harness.js";

const SHARD = shardOf("order-1");

export function advancing(test: EventTest): void {
  describe("advance", () => {
    test("keeps the position and its note, for the member and whoever follows it", async (under) => {
      const { events, another, advance } = under;
      await events.put(newEvents(1, 3));
      const [, second] = await readAll(events, SHARD);
      const lease = await leaseOf(events, SHARD, "a");
      expect(await events.advance(GROUP, lease, second?.position ?? null, "stream/2")).toBe(true);
      const kept = { position: second?.position, note: "stream/2" };
      expect(await leaseOf(events, SHARD, "a")).toEqual({ ...lease, ...kept });
      await advance(LEASE_MS + 2_000);
      const other = await another();
      const taken = await leaseOf(other, SHARD, "b");
      expect(taken).toMatchObject(kept);
      expect((await other.read(SHARD, taken.position, 10)).map(({ event }) => event.id)).toEqual(["event-3"]);
    });

    test("goes backwards too, and to the beginning", async ({ events }) => {
      await events.put(newEvents(1, 3));
      const stored = await readAll(events, SHARD);
      const lease = await leaseOf(events, SHARD, "a");
      const moves = [
        [stored[2], "c"],
        [stored[0], null],
        [stored[1], ""],
        [undefined, "from the start"],
      ] as const;
      for (const [to, note] of moves) {
        const position = to?.position ?? null;
        expect(await events.advance(GROUP, lease, position, note)).toBe(true);
        expect(await leaseOf(events, SHARD, "a")).toEqual({ ...lease, position, note });
      }
    });

    test("says no to a lease that is somebody else's, and changes nothing", async ({ events, advance }) => {
      await events.put(newEvents(1, 2));
      const [one, two] = (await readAll(events, SHARD)).map(({ position }) => position);
      const old = await leaseOf(events, SHARD, "old");
      expect(await events.advance(GROUP, old, one ?? null, "old")).toBe(true);
      await advance(LEASE_MS + 2_000);
      const lease = await leaseOf(events, SHARD, "new");
      expect(await events.advance(GROUP, old, two ?? null, "stale")).toBe(false);
      expect(await events.advance(GROUP, old, null, null)).toBe(false);
      expect(await leaseOf(events, SHARD, "new")).toEqual({ ...lease, position: one, note: "old" });
      expect(await events.advance(GROUP, { ...lease, fence: lease.fence + 1 }, two ?? null, null)).toBe(false);
      expect(await events.advance("another", lease, two ?? null, null)).toBe(false);
    });

    test("is for the one shard and the one group", async ({ events }) => {
      await events.put(newEvents(1, 2));
      const [one] = await readAll(events, SHARD);
      const before = await leased(events, "a");
      const billing = await leased(events, "a", "billing");
      await events.advance(GROUP, await leaseOf(events, SHARD, "a"), one?.position ?? null, "note");
      expect(await leased(events, "a", "billing")).toEqual(billing);
      const moved = { position: one?.position, note: "note" };
      expect(await leased(events, "a")).toEqual(
        before.map((lease) => (lease.shard === SHARD ? { ...lease, ...moved } : lease)),
      );
    });
  });
}
