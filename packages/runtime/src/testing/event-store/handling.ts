import { describe, expect } from "vitest";
import type { EventBatches, EventStore } from "../../store/event-store.js";
import { begun, type EventBench, type EventTest, GROUP, isHandled } from "./harness.js";

export function handling(test: EventTest): void {
  describe("begin", () => {
    test("says of an event that it was handled, once that was committed, to everybody", async ({ events, another }) => {
      const transaction = await begun(events, "event-1");
      await transaction.commit();
      await transaction.rollback();
      expect(await events.begin(GROUP, "event-1")).toBe("handled");
      expect(await (await another()).begin(GROUP, "event-1")).toBe("handled");
    });

    test("begins again after a rollback", async ({ events, another }) => {
      const transaction = await begun(events, "event-1");
      await transaction.rollback();
      await transaction.rollback();
      await expect(transaction.commit()).rejects.toThrow();
      expect(await isHandled(await another(), "event-1")).toBe(false);
    });

    test("commits the effect and that it was handled together, or neither", async ({ events, effects }) => {
      if (!effects) return;
      const rolledBack = await begun(events, "event-1");
      const writing = effects.write(rolledBack.client, "not to be");
      if (writing instanceof Promise) await writing;
      await rolledBack.rollback();
      expect(await effects.committed()).toEqual([]);
      expect(await isHandled(events, "event-1")).toBe(false);
      const committed = await begun(events, "event-1");
      const again = effects.write(committed.client, "paid");
      if (again instanceof Promise) await again;
      await committed.commit();
      expect(await effects.committed()).toEqual(["paid"]);
      expect(await isHandled(events, "event-1")).toBe(true);
    });

    test("handles an event for each group by itself, and each event of a group", async ({ events }) => {
      const open = await begun(events, "event-1");
      await (await begun(events, "event-2")).commit();
      await (await begun(events, "event-1", "billing")).commit();
      expect(await isHandled(events, "event-2", "billing")).toBe(false);
      await open.rollback();
      expect(await isHandled(events, "event-1")).toBe(false);
    });

    test("waits for the end of another one of the same event: handled when that commits", async ({
      events,
      another,
    }) => {
      const [one, two] = [await begun(events, "event-1"), await another()];
      const waiting = [beginning(events), beginning(two), beginning(two)];
      await two.groups();
      expect(waiting.map(({ answer }) => answer)).toEqual([undefined, undefined, undefined]);
      await one.commit();
      expect(await Promise.all(waiting.map(({ ended }) => ended))).toEqual(["handled", "handled", "handled"]);
    });

    test("waits for the end of another one of the same event: one begins when that rolls back", async ({
      events,
      another,
    }) => {
      const [one, two] = [await begun(events, "event-1"), await another()];
      const waiting = [beginning(events), beginning(two)];
      await one.rollback();
      const next = await Promise.race(waiting.map(({ ended }) => ended));
      if (next === "handled") return expect.fail("expected the event not to be handled, it was rolled back");
      await next.commit();
      const answers = await Promise.all(waiting.map(({ ended }) => ended));
      expect(answers.filter((answer) => answer === "handled").length).toBe(1);
      expect(await isHandled(two, "event-1")).toBe(true);
    });
  });
  handlingTogether(test);
}

function handlingTogether(test: EventTest): void {
  const offered = (title: string, body: (under: EventBench, batches: EventBatches) => Promise<void>): void =>
    test(title, async (under) => {
      // A store to which it is all the same leaves them out.
      if (under.events.batches !== undefined) await body(under, under.events.batches);
    });

  describe("batches", () => {
    offered("begin those that were not handled, and commit them together", async (under, batches) => {
      const { events, effects, another } = under;
      await (await begun(events, "event-2")).commit();
      const batch = await batches.begin(GROUP, ["event-3", "event-1", "event-2", "event-1"]);
      expect([...batch.fresh].sort()).toEqual(["event-1", "event-3"]);
      const writing = effects?.write(batch.client, "paid");
      if (writing instanceof Promise) await writing;
      await batch.commit();
      await batch.rollback();
      if (effects) expect(await effects.committed()).toEqual(["paid"]);
      const other = await another();
      for (const id of ["event-1", "event-2", "event-3"]) expect(await isHandled(other, id)).toBe(true);
      expect(await isHandled(other, "event-1", "billing")).toBe(false);
    });

    offered("say which were handled, and wait for nobody who handles one", async ({ events, another }, batches) => {
      const open = await begun(events, "event-1");
      const other = (await another()).batches ?? batches;
      expect(await other.isHandled(GROUP, "event-1")).toBe(false);
      await open.commit();
      expect(await other.isHandled(GROUP, "event-1")).toBe(true);
      const found = ["event-2", "event-1", "event-3"].map((id) => other.isHandled(GROUP, id));
      expect(await Promise.all(found)).toEqual([false, true, false]);
      expect(await other.isHandled("billing", "event-1")).toBe(false);
    });

    offered("leave nothing of one that is rolled back", async ({ events, effects }, batches) => {
      const batch = await batches.begin(GROUP, ["event-1", "event-2"]);
      const writing = effects?.write(batch.client, "not to be");
      if (writing instanceof Promise) await writing;
      await batch.rollback();
      if (effects) expect(await effects.committed()).toEqual([]);
      for (const id of ["event-1", "event-2"]) expect(await isHandled(events, id)).toBe(false);
    });

    offered("begin when whoever handles one of them has ended", async ({ events, another }, batches) => {
      const one = await begun(events, "event-2");
      const waiting = (await another()).batches?.begin(GROUP, ["event-3", "event-2", "event-1"]);
      await events.groups();
      await one.commit();
      const batch = await waiting;
      expect([...(batch?.fresh ?? [])].sort()).toEqual(["event-1", "event-3"]);
      await batch?.rollback();
      const all = ["event-5", "event-4"];
      const [first, second] = [batches.begin(GROUP, all), batches.begin(GROUP, [...all].reverse())];
      const begunFirst = await Promise.race([first, second]);
      await begunFirst.commit();
      const sizes = (await Promise.all([first, second])).map(({ fresh }) => fresh.size);
      expect(sizes.sort()).toEqual([0, 2]);
      for (const each of await Promise.all([first, second])) await each.rollback();
    });
  });
}

function beginning(events: EventStore) {
  const begin: { answer?: unknown; readonly ended: ReturnType<EventStore["begin"]> } = {
    ended: events.begin(GROUP, "event-1"),
  };
  void begin.ended.then((answer) => {
    begin.answer = answer;
  });
  return begin;
}
