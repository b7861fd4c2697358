import { describe, expect } from "vitest";
import { MAX_EVENT_BYTES } from "../../broker/event-message.js";
import { shardOf } from "../../store/event-shard.js";
import type { EventStore, EventTransaction } from "../../store/event-store.js";
import type { RunStore, StepTransaction } from "../../store/run-store.js";
import { guardClient } from "../../worker/guarded-client.js";
import { claimOne, nextAppend } from "../run-store-contract/harness.js";
import { begun, type EventBench, type EventTest, idsIn, newEvent, newEvents, readAll } from "./harness.js";

export function transacting(test: EventTest): void {
  describe("putWithin", () => {
    test("stores with the row of a step's transaction", async ({ store, events }) => {
      const run = await claimOne(store, "w");
      const transaction = await stepOf(store);
      const putting = events.putWithin(transaction.client, newEvents(1, 3));
      if (putting instanceof Promise) await putting;
      expect(await transaction.commit(nextAppend(run))).toMatchObject({ kind: "appended" });
      expect(await idsIn(events)).toEqual(["event-1", "event-2", "event-3"]);
    });

    test("leaves nothing of a step's transaction that is rolled back, or whose row is refused", async ({
      store,
      events,
    }) => {
      const run = await claimOne(store, "w");
      const rolledBack = await stepOf(store);
      const putting = events.putWithin(rolledBack.client, [newEvent(1)]);
      if (putting instanceof Promise) await putting;
      await rolledBack.rollback();
      const refused = await stepOf(store);
      const again = events.putWithin(refused.client, [newEvent(1)]);
      if (again instanceof Promise) await again;
      expect(await refused.commit(nextAppend({ ...run, fence: 7 }))).toEqual({ kind: "lease-lost" });
      expect(await idsIn(events)).toEqual([]);
      expect(await events.put([newEvent(1)])).toEqual([{ kind: "stored" }]);
    });

    test("stores when the event that caused it is handled, or not at all", async ({ events, near, store }) => {
      const rolledBack = await begun(events, "incoming");
      const putting = events.putWithin(rolledBack.client, [newEvent(1)]);
      if (putting instanceof Promise) await putting;
      await rolledBack.rollback();
      expect(await idsIn(events)).toEqual([]);
      const at = near(await store.now());
      const committed = await begun(events, "incoming");
      const again = events.putWithin(committed.client, [newEvent(1)]);
      if (again instanceof Promise) await again;
      await committed.commit();
      expect(await readAll(events, shardOf("order-1"))).toMatchObject([{ event: newEvent(1), storedAt: at }]);
    });

    test("commits beside what else the transaction does", async (under) => {
      const { events, effects } = under;
      if (!effects) return;
      const transaction = await begun(events, "incoming");
      const writing = effects.write(transaction.client, "paid");
      if (writing instanceof Promise) await writing;
      const putting = events.putWithin(transaction.client, [newEvent(1)]);
      if (putting instanceof Promise) await putting;
      await transaction.commit();
      expect(await effects.committed()).toEqual(["paid"]);
      expect(await idsIn(events)).toEqual(["event-1"]);
    });

    test("takes the guard around its client that callbacks are given", async ({ events }) => {
      const transaction = await begun(events, "incoming");
      const guarded = guardClient(transaction.client);
      const putting = events.putWithin(guarded.client, [newEvent(1)]);
      if (putting instanceof Promise) await putting;
      await transaction.commit();
      expect(await idsIn(events)).toEqual(["event-1"]);
    });

    test("takes events that are there already as done", async ({ events }) => {
      await events.put([newEvent(1)]);
      const transaction = await begun(events, "incoming");
      const putting = events.putWithin(transaction.client, [newEvent(1), newEvent(2), newEvent(2)]);
      if (putting instanceof Promise) await putting;
      await transaction.commit();
      expect(await idsIn(events)).toEqual(["event-1", "event-2"]);
    });

    test("throws when one cannot be stored", async (under) => {
      const { events } = under;
      await refuses(under, { body: "a\0b" }, "input-invalid");
      await refuses(under, { key: "a\ud800b" }, "input-invalid");
      await refuses(under, { body: "x".repeat(MAX_EVENT_BYTES + 1) }, "payload-too-large");
      expect(await idsIn(events)).toEqual([]);
    });
  });
}

function stepOf(store: RunStore): Promise<StepTransaction> {
  return store.begin?.() ?? expect.fail("expected a store with events to begin transactions");
}

async function refuses({ events }: EventBench, bad: Parameters<typeof newEvent>[1], code: string): Promise<void> {
  const transaction = await begun(events, "incoming");
  await expect(putBoth(events, transaction, bad)).rejects.toMatchObject({ code });
  await transaction.rollback();
}

/** What is thrown at once rejects as well. */
async function putBoth(
  events: EventStore,
  { client }: EventTransaction,
  bad: Parameters<typeof newEvent>[1],
): Promise<void> {
  return events.putWithin(client, [newEvent(1), newEvent(2, bad)]);
}
