import { describe, expect } from "vitest";
import { type EventStore, type Holding, type LeasedShard, SHARDS } from "../../store/event-store.js";
import { LEASE_MS } from "../run-store-contract/harness.js";
import { type EventTest, GROUP, leased } from "./harness.js";

const ALL = Array.from({ length: SHARDS }, (_, shard) => shard);

export function leasing(test: EventTest): void {
  describe("lease", () => {
    test("gives a member that is alone every shard, from the beginning, and renewed the same", async ({ events }) => {
      const leases = await leased(events, "a");
      expect(leases).toEqual(ALL.map((shard) => ({ shard, fence: expect.any(Number), position: null, note: null })));
      expect(leases.every(({ fence }) => Number.isSafeInteger(fence) && fence > 0)).toBe(true);
      expect(await leased(events, "a")).toEqual(leases);
    });

    for (const count of [2, 3, 5, 16, 20]) {
      test(`shares the shards among ${count} members, each shard one member's at a time`, async ({
        events,
        another,
      }) => {
        const stores = [events, await another()];
        const held = await settled(Array.from({ length: count }, (_, n) => [`m${n}`, stores[n % 2] ?? events]));
        expect([...held.values()].flatMap(shardsOf).sort((a, b) => a - b)).toEqual(ALL);
        const sizes = [...held.values()].map(({ length }) => length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      });
    }

    test("lets every member keep what it has while the members stay the same", async ({ events }) => {
      const members = ["a", "b", "c"].map((member): [string, EventStore] => [member, events]);
      const before = await settled(members);
      expect(await settled(members)).toEqual(before);
    });

    test("gives a newcomer what others have given up, under a higher fence, and nothing before", async ({ events }) => {
      const alone = await leased(events, "a");
      expect(await leased(events, "b")).toEqual([]);
      const kept = await leased(events, "a");
      expect(kept.length).toBe(SHARDS / 2);
      for (const lease of kept) expect(lease).toEqual(alone[lease.shard]);
      const given = await leased(events, "b");
      expect(shardsOf(given)).toEqual(ALL.filter((shard) => !shardsOf(kept).includes(shard)));
      for (const { shard, fence } of given) expect(fence).toBeGreaterThan(alone[shard]?.fence ?? 0);
    });

    test("leaves a member the shards that it is busy with until it is not", async ({ events }) => {
      await leased(events, "a");
      await leased(events, "b");
      const busy = ALL.slice(4);
      const mine = (holding: Holding) => events.lease(GROUP, "a", LEASE_MS, holding);
      expect(shardsOf(await mine({ busy, leaving: false }))).toEqual(busy);
      expect(shardsOf(await leased(events, "b"))).toEqual(ALL.slice(0, 4));
      expect(await mine({ busy: [], leaving: false })).toHaveLength(SHARDS / 2);
      expect(await leased(events, "b")).toHaveLength(SHARDS / 2);
    });

    test("shares a leaving member's shards as if it were gone, but for those that it is busy with", async (under) => {
      const { events, advance } = under;
      const [one] = await leased(events, "a");
      await leased(events, "b");
      const leave = { busy: [3], leaving: true };
      expect(shardsOf(await events.lease(GROUP, "a", LEASE_MS, leave))).toEqual([3]);
      expect(shardsOf(await leased(events, "b"))).toEqual(ALL.filter((shard) => shard !== 3));
      // It has said it once, and takes none again.
      expect(await leased(events, "a")).toEqual([]);
      expect(shardsOf(await leased(events, "b"))).toEqual(ALL);
      expect(await events.advance(GROUP, one ?? expect.fail(), null, null)).toBe(false);
      await advance(LEASE_MS / 2);
      expect(shardsOf(await leased(events, "b"))).toEqual(ALL);
    });

    test("gives the shards of a member whose lease has run out by the store's clock to others", async (under) => {
      const { events, another, advance, tickMs } = under;
      const dead = await leased(events, "dead");
      const other = await another();
      await advance(LEASE_MS - 2 * tickMs);
      expect(await leased(other, "b")).toEqual([]);
      await advance(2 * tickMs);
      const taken = await leased(other, "b");
      expect(shardsOf(taken)).toEqual(ALL);
      for (const { shard, fence } of taken) expect(fence).toBeGreaterThan(dead[shard]?.fence ?? 0);
      for (const lease of dead) expect(await events.advance(GROUP, lease, null, "stale")).toBe(false);
      for (const lease of taken) expect(await other.advance(GROUP, lease, null, null)).toBe(true);
    });

    test("is longer with every renewal", async ({ events, advance }) => {
      const leases = await leased(events, "a");
      await advance(LEASE_MS * 0.7);
      expect(await leased(events, "a")).toEqual(leases);
      await advance(LEASE_MS * 0.7);
      expect(await leased(events, "b")).toEqual([]);
    });

    test("goes on for a member that comes back late when nobody has taken over", async ({ events, advance }) => {
      await leased(events, "a");
      await advance(3 * LEASE_MS);
      const again = await leased(events, "a");
      expect(shardsOf(again)).toEqual(ALL);
      for (const lease of again) expect(await events.advance(GROUP, lease, null, null)).toBe(true);
    });

    test("gives a member that was taken for dead its share again, when it comes back", async ({ events, advance }) => {
      await leased(events, "a");
      await advance(LEASE_MS + 2_000);
      await leased(events, "b");
      expect(await leased(events, "a")).toEqual([]);
      const held = await settled([
        ["a", events],
        ["b", events],
      ]);
      expect([...held.values()].map(({ length }) => length)).toEqual([SHARDS / 2, SHARDS / 2]);
    });

    test("is for each group by itself", async ({ events }) => {
      const relay = await leased(events, "a");
      expect(shardsOf(await leased(events, "a", "billing"))).toEqual(ALL);
      expect(shardsOf(await leased(events, "b", "mail"))).toEqual(ALL);
      expect(await leased(events, "a")).toEqual(relay);
    });

    test("is given to one member at a time when all come at once", async ({ events, another }) => {
      const stores = [events, await another()];
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, n) => stores[n % 2]?.lease(GROUP, `m${n}`, LEASE_MS) ?? []),
      );
      const fenced = answers.flat().map(({ shard, fence }) => `${shard}/${fence}`);
      expect(new Set(fenced).size).toBe(fenced.length);
    });
  });

  describe("release", () => {
    test("gives everything up at once", async ({ events, another }) => {
      const before = await leased(events, "a");
      const other = await another();
      expect(await leased(other, "b")).toEqual([]);
      await events.release(GROUP, "a");
      const taken = await leased(other, "b");
      expect(shardsOf(taken)).toEqual(ALL);
      for (const { shard, fence } of taken) expect(fence).toBeGreaterThan(before[shard]?.fence ?? 0);
      for (const lease of before) expect(await events.advance(GROUP, lease, null, "stale")).toBe(false);
    });

    test("is harmless when it is unknown, and twice", async ({ events }) => {
      await events.release("nobody's", "nobody");
      const held = await leased(events, "a");
      await events.release(GROUP, "b");
      await events.release("another", "a");
      expect(await leased(events, "a")).toEqual(held);
      await events.release(GROUP, "a");
      await events.release(GROUP, "a");
      expect(shardsOf(await leased(events, "a"))).toEqual(ALL);
    });
  });
}

function shardsOf(leases: readonly LeasedShard[]): number[] {
  return leases.map(({ shard }) => shard);
}

/** What the members hold once everybody has leased often enough; at every moment a shard is one member's. */
async function settled(members: readonly (readonly [string, EventStore])[]): Promise<Map<string, LeasedShard[]>> {
  const held = new Map<string, LeasedShard[]>();
  for (let round = 0; round < 4; round += 1) {
    for (const [member, events] of members) {
      held.set(member, await leased(events, member));
      const all = [...held.values()].flatMap(shardsOf);
      expect(new Set(all).size).toBe(all.length);
    }
  }
  return held;
}
