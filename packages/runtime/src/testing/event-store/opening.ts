import { describe, expect, it } from "vitest";
import type { RunStoreTraits } from "../run-store-contract/harness.js";
import { begun, type EventTest, eventsOf, GROUP, idsIn, isHandled, leaseOf, newEvent } from "./harness.js";

export function opening(test: EventTest, { lacks }: RunStoreTraits): void {
  const reopening: EventTest = lacks?.reopen
    ? (title) => it.skip(`${title} (not this store: ${lacks.reopen})`, () => undefined)
    : test;

  describe("open and close", () => {
    test("is opened and closed with its run store", async ({ store, events }) => {
      const parked = {
        ...{ group: GROUP, event: newEvent(1), error: { code: "x", message: "y" } },
        attempts: 1,
        parkedAt: 0,
      };
      await store.close();
      const calls: (() => Promise<unknown>)[] = [
        () => events.put([newEvent(1)]),
        () => events.lease(GROUP, "member", 1_000),
        () => events.release(GROUP, "member"),
        () => events.read(0, null, 1),
        () => events.advance(GROUP, { shard: 0, fence: 1, position: null, note: null }, null, null),
        () => events.groups(),
        () => events.forgetGroup(GROUP),
        () => events.pruneOutbox(0, 1),
        () => events.begin(GROUP, "event-1"),
        () => events.pruneHandled(0, 1),
        () => events.park(parked),
        () => events.parked({ limit: 1 }),
        () => events.parkedEvent(GROUP, "event-1"),
        () => events.unpark(GROUP, "event-1", true),
      ];
      for (const call of calls) await expect(call(), String(call)).rejects.toMatchObject({ code: "store-unavailable" });
      await store.open();
      expect(await eventsOf(store).put([newEvent(1)])).toEqual([{ kind: "stored" }]);
    });

    reopening("keeps everything when it is opened again", async ({ store, events, reopen }) => {
      if (!reopen) return expect.unreachable();
      await events.put([newEvent(1)]);
      const lease = await leaseOf(events, 3, "member");
      await events.advance(GROUP, lease, null, "note");
      await (await begun(events, "handled")).commit();
      await events.park({
        ...{ group: GROUP, event: newEvent(2), attempts: 3, parkedAt: 0 },
        error: { code: "declined", message: "no" },
      });
      const groups = await events.groups();
      const parked = await events.parked({ limit: 10 });
      await store.close();
      const again = eventsOf(await reopen());
      expect(await idsIn(again)).toEqual(["event-1"]);
      expect(await again.groups()).toEqual(groups);
      expect(await again.parked({ limit: 10 })).toEqual(parked);
      expect(await isHandled(again, "handled")).toBe(true);
      expect(await leaseOf(again, 3, "member")).toEqual({ ...lease, note: "note" });
      expect(await again.put([newEvent(1)])).toEqual([{ kind: "duplicate" }]);
    });
  });
}
