import { describe, expect } from "vitest";
import type { EventStore, ParkedEvent } from "../../store/event-store.js";
import { begun, type EventTest, GROUP, isHandled, newEvent } from "./harness.js";

export function parking(test: EventTest): void {
  describe("park", () => {
    test("keeps the event and why, and says that it was handled", async ({ store, events, another, near }) => {
      const at = near(await store.now());
      const event = newParked(1, { attempts: 7, error: { code: "declined", message: "no: 'ü' 😀\n" }, parkedAt: 5 });
      await events.park(event);
      const other = await another();
      expect(await other.parkedEvent(GROUP, "event-1")).toEqual({ ...event, parkedAt: at });
      expect((await other.parked({ limit: 1 })).items).toEqual([{ ...event, parkedAt: at }]);
      expect(await isHandled(other, "event-1")).toBe(true);
      expect(await isHandled(other, "event-1", "billing")).toBe(false);
      expect(await other.parkedEvent("billing", "event-1")).toBeUndefined();
      expect(await other.parkedEvent(GROUP, "event-2")).toBeUndefined();
    });

    test("keeps an event once for a group, as it was the first time", async ({ events }) => {
      await events.park(newParked(1));
      await events.park(newParked(1, { attempts: 9, error: { code: "other", message: "later" } }));
      await events.park(newParked(1, { group: "billing" }));
      expect(await allParked(events)).toEqual(["billing/event-1", "relay/event-1"]);
      expect(await events.parkedEvent(GROUP, "event-1")).toMatchObject({ attempts: 1, error: { code: "refused" } });
    });

    test("takes an event that was handled already", async ({ events }) => {
      await (await begun(events, "event-1")).commit();
      await events.park(newParked(1));
      expect(await allParked(events)).toEqual(["relay/event-1"]);
      expect(await isHandled(events, "event-1")).toBe(true);
    });

    test("keeps an error whatever its text is, without what no database takes and what is too long", async ({
      events,
    }) => {
      const message = `a\0b \ud800 ${"x".repeat(10_000)}`;
      await events.park(newParked(1, { error: { code: "a\0b\udc00", message } }));
      const kept = await events.parkedEvent(GROUP, "event-1");
      expect(kept?.error.code).toBe("a\ufffdb\ufffd");
      expect(kept?.error.message).toBe(`a\ufffdb \ufffd ${"x".repeat(10_000)}`.slice(0, 4_000));
    });
  });

  describe("parked", () => {
    test("gives pages, newest first, of one group or of all", async ({ events }) => {
      for (let n = 1; n <= 7; n += 1) await events.park(newParked(n, { group: n % 3 === 0 ? "billing" : GROUP }));
      const newestFirst = [7, 6, 5, 4, 3, 2, 1].map((n) => `${n % 3 === 0 ? "billing" : GROUP}/event-${n}`);
      for (const limit of [1, 2, 7, 200]) expect(await allParked(events, undefined, limit)).toEqual(newestFirst);
      expect(await allParked(events, GROUP, 2)).toEqual(newestFirst.filter((name) => name.startsWith(GROUP)));
      expect((await events.parked({ limit: 7 })).nextCursor).toBeNull();
      expect(await events.parked({ group: "unknown", limit: 10 })).toEqual({ items: [], nextCursor: null });
    });
  });

  describe("unpark", () => {
    test("lets the event be handled again, when it is to be", async ({ events, another }) => {
      await events.park(newParked(1));
      await events.park(newParked(1, { group: "billing" }));
      expect(await events.unpark(GROUP, "event-1", true)).toBe(true);
      const other = await another();
      expect(await allParked(other)).toEqual(["billing/event-1"]);
      expect(await isHandled(other, "event-1")).toBe(false);
      expect(await isHandled(other, "event-1", "billing")).toBe(true);
      await events.park(newParked(1));
      expect(await allParked(other)).toEqual(["relay/event-1", "billing/event-1"]);
    });

    test("leaves it handled, when it is not to be", async ({ events }) => {
      await events.park(newParked(1));
      expect(await events.unpark(GROUP, "event-1", false)).toBe(true);
      expect(await allParked(events)).toEqual([]);
      expect(await isHandled(events, "event-1")).toBe(true);
    });

    test("says that an event is not parked, and then changes nothing", async ({ events }) => {
      await events.park(newParked(1));
      await (await begun(events, "event-2")).commit();
      for (const again of [true, false]) {
        expect(await events.unpark(GROUP, "event-2", again)).toBe(false);
        expect(await events.unpark("billing", "event-1", again)).toBe(false);
      }
      expect(await isHandled(events, "event-2")).toBe(true);
      expect(await events.unpark(GROUP, "event-1", true)).toBe(true);
      expect(await events.unpark(GROUP, "event-1", true)).toBe(false);
    });

    test("is done by one of two at once", async ({ events, another }) => {
      await events.park(newParked(1));
      const other = await another();
      const answers = await Promise.all([events.unpark(GROUP, "event-1", true), other.unpark(GROUP, "event-1", true)]);
      expect(answers.sort()).toEqual([false, true]);
    });
  });
}

function newParked(n: number, overrides: Partial<ParkedEvent> = {}): ParkedEvent {
  const error = { code: "refused", message: "no" };
  return { group: GROUP, event: newEvent(n), error, attempts: 1, parkedAt: 0, ...overrides };
}

/** Group and id of all, page by page. */
async function allParked(events: EventStore, group?: string, limit = 3): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const query = { limit, ...(group !== undefined && { group }), ...(cursor !== undefined && { cursor }) };
    const page = await events.parked(query);
    expect(page.items.length).toBeLessThanOrEqual(limit);
    found.push(...page.items.map(({ group: of, event }) => `${of}/${event.id}`));
    cursor = page.nextCursor;
  }
  return found;
}
