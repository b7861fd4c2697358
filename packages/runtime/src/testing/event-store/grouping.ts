import { describe, expect } from "vitest";
import { type EventGroup, type EventStore, SHARDS } from "../../store/event-store.js";
import { LEASE_MS } from "../run-store-contract/harness.js";
import { done, type EventTest, GROUP, keyIn, leased, newEvent, newEvents } from "./harness.js";

export function grouping(test: EventTest): void {
  describe("groups", () => {
    test("tells what each group has to read, and since when", async ({ store, events, advance, near, tickMs }) => {
      expect(await events.groups()).toEqual([]);
      const times: unknown[] = [];
      for (const [n, shard] of [4, 9, 4].entries()) {
        await advance(10 * tickMs);
        times.push(near(await store.now()));
        await events.put([newEvent(n, { key: keyIn(shard) })]);
      }
      await leased(events, "member");
      await leased(events, "member", "billing");
      const expected = (group: string, waiting: number, oldestAt: unknown) => ({
        group,
        members: 1,
        waiting,
        oldestAt,
      });
      expect(await groupsOf(events)).toEqual([expected("billing", 3, times[0]), expected(GROUP, 3, times[0])]);
      await done(events, 4, 1);
      expect(await groupsOf(events)).toEqual([expected("billing", 3, times[0]), expected(GROUP, 2, times[1])]);
      await done(events, 9, 1);
      expect(await groupsOf(events)).toEqual([expected("billing", 3, times[0]), expected(GROUP, 1, times[2])]);
      await done(events, 4, 2);
      expect(await groupsOf(events)).toEqual([expected("billing", 3, times[0]), expected(GROUP, 0, null)]);
    });

    test("counts the members that are alive", async ({ events, advance }) => {
      await leased(events, "a");
      await advance(LEASE_MS / 2);
      await leased(events, "b");
      expect(await groupsOf(events)).toMatchObject([{ members: 2 }]);
      await advance(LEASE_MS / 2 + 2_000);
      expect(await groupsOf(events)).toMatchObject([{ members: 1 }]);
      await events.release(GROUP, "b");
      expect(await groupsOf(events)).toMatchObject([{ group: GROUP, members: 0 }]);
    });

    test("counts 10,000 events of a shard and no more", async ({ events }) => {
      await leased(events, "member");
      for (let from = 0; from < 10_500; from += 1_500)
        await events.put(newEvents(from, from + 1_499, { key: keyIn(1) }));
      await events.put([newEvent(-1, { key: keyIn(2) })]);
      expect(await groupsOf(events)).toMatchObject([{ waiting: 10_001 }]);
    });
  });

  describe("forgetGroup", () => {
    test("takes the group away, and it begins anew when it comes again", async ({ events }) => {
      await events.put([newEvent(1, { key: keyIn(1) })]);
      await done(events, 1, 1);
      const [old] = await leased(events, "member");
      await leased(events, "member", "billing");
      await events.forgetGroup(GROUP);
      await events.forgetGroup(GROUP);
      expect((await groupsOf(events)).map(({ group }) => group)).toEqual(["billing"]);
      expect(await events.advance(GROUP, old ?? expect.fail(), null, null)).toBe(false);
      const again = await leased(events, "another member");
      expect(again.length).toBe(SHARDS);
      expect(again.every(({ position, note }) => position === null && note === null)).toBe(true);
      expect((await groupsOf(events)).map(({ group, waiting }) => [group, waiting])).toEqual([
        ["billing", 1],
        [GROUP, 1],
      ]);
    });

    test("is harmless when it is unknown", async ({ events }) => {
      const leases = await leased(events, "member");
      await events.forgetGroup("unknown");
      expect(await leased(events, "member")).toEqual(leases);
    });
  });
}

/** By name. */
async function groupsOf(events: EventStore): Promise<EventGroup[]> {
  return [...(await events.groups())].sort((a, b) => (a.group < b.group ? -1 : 1));
}
