/** Handlers of events: what they change, once for each event, and what becomes of the events that they cannot handle. */
import { type CloudEvent, cloudEvent, EventRefusal, eventMessage, type RunStore } from "@clean-arch/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Refusal } from "../../src/application/errors.js";
import type { EventHandler } from "../../src/application/event-handlers/event-handler.generated.js";
import { useCasesFrom } from "../../src/application/use-cases/use-cases.generated.js";
import type { BoundVolume } from "../../src/domain/bound-volume/bound-volume.generated.js";
import { createLogger } from "../../src/infrastructure/logging/logger.js";
import { createEvents, eventsOf, type ServiceEvents } from "../../src/infrastructure/messaging/events.js";
import { handledEvents } from "../../src/infrastructure/messaging/handled-events.js";
import { createOutbox } from "../../src/infrastructure/messaging/outbox.js";
import { publishedTables } from "../../src/infrastructure/messaging/published-tables.generated.js";
import { useCasesWithin } from "../../src/infrastructure/messaging/use-cases-within.js";
import { type Database, openDatabase } from "../../src/infrastructure/persistence/database.js";
import { createUuidV7 } from "../../src/infrastructure/persistence/uuid-v7.js";
import { createRunStore } from "../../src/infrastructure/session/run-store.js";
import { type HeardEvents, hearEvents } from "../integration/heard-events.js";
import { asOperator, startService, type TestService } from "../integration/service.js";

const logger = createLogger("test", "silent");
const group = "tests-on_go";
const onPostgres = (process.env.TEST_DATABASE_URL ?? "") !== "";
const volume = (callNumber: string) => ({ title: "Faust", callNumber, pageCount: 5, price: "1.50" });

let service: TestService;
let heard: HeardEvents;
let database: Database;
let store: RunStore;
let events: ServiceEvents | undefined;
beforeEach(async () => {
  service = await startService();
  heard = await hearEvents(service, ["bound_volume.*"]);
  database = await openDatabase(service.settings, logger);
  store = createRunStore(service.settings);
  await store.open();
});
afterEach(async () => {
  await events?.close();
  await store.close();
  await database.close();
  await heard.close();
  await service.close();
});

/** Handles events of type `go` as an instance of the service would. */
async function handleBy(handle: EventHandler): Promise<void> {
  const { useCases, runs } = service.container.application;
  const clock = { now: Date.now };
  const { tellerOn } = createOutbox({ store: eventsOf(store), tables: publishedTables, name: "reference-service" });
  const useCasesOf = (own: Parameters<typeof useCasesFrom>[0]) =>
    useCasesFrom(own, { clock, newId: createUuidV7(clock) });
  const within = useCasesWithin(database.opened, useCasesOf, tellerOn);
  const subscriptions = [{ handler: "on_go", group, from: null, subjects: ["go"], handle }];
  const handled = handledEvents(subscriptions, { useCases, runs, logger }, within);
  events = createEvents({ settings: service.settings, store, broker: null, handled, published: new Map(), logger });
  await events.open();
}

async function go(parts: Partial<CloudEvent> = {}): Promise<CloudEvent> {
  const event = cloudEvent({ source: "/tests", type: "go", data: {}, ...(parts as object) });
  await eventsOf(store).put([eventMessage(event)]);
  return event;
}
const counts = () => events?.consumers[0]?.counts;
const listed = async (): Promise<BoundVolume[]> => {
  const { items } = await service.container.application.useCases.boundVolume.list({ limit: 10, after: null });
  return [...items];
};

describe("a handler of events", () => {
  it("changes entities, whose events follow from the one that it handled", async () => {
    await handleBy(
      async (event, { useCases }) => void (await useCases.boundVolume.create(volume(`AB-100${event.subject}`))),
    );
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const { id } = await go({ subject: "1", traceparent });
    await heard.heard(1);
    expect(heard.events).toMatchObject([
      {
        type: "bound_volume.created",
        causationid: id,
        correlationid: id,
        traceparent,
        data: { call_number: "AB-1001" },
      },
    ]);
    await expect.poll(counts).toMatchObject({ handled: 1, failed: 0 });
  });

  it("is given what it has written as everybody else reads it", async () => {
    const rich = {
      ...volume("AB-1000"),
      publishedOn: "1808-04-12",
      boundAt: "2026-01-31T09:30:00.000Z",
      wordCount: 2n ** 60n,
    };
    let read: BoundVolume | undefined;
    await handleBy(async (_event, { useCases }) => {
      const { id } = await useCases.boundVolume.create(rich);
      read = await useCases.boundVolume.get(id);
    });
    await go();
    await expect.poll(counts).toMatchObject({ handled: 1 });
    expect([read]).toEqual(await listed());
    expect(read).toMatchObject(rich);
  });

  it.runIf(onPostgres)("that fails leaves nothing of what it changed, and then all of it once", async () => {
    await handleBy(async (_event, { useCases }, { attempt }) => {
      await useCases.boundVolume.create(volume("AB-1000"));
      if (attempt === 1) throw new Error("out of ink");
      await useCases.boundVolume.create(volume("AB-1001"));
    });
    await go();
    await expect.poll(counts, { timeout: 5_000 }).toMatchObject({ handled: 1, failed: 1 });
    await heard.heard(2);
    expect((await listed()).map(({ callNumber }) => callNumber)).toEqual(["AB-1000", "AB-1001"]);
    expect(heard.events).toHaveLength(2);
  });

  it.runIf(!onPostgres)("on SQLite finds at its second attempt what it changed in the first", async () => {
    const refusals: unknown[] = [];
    await handleBy(async (_event, { useCases }, { attempt }) => {
      await useCases.boundVolume.create(volume("AB-1000")).catch((error: unknown) => refusals.push(error));
      if (attempt === 1) throw new Error("out of ink");
    });
    await go();
    await expect.poll(counts, { timeout: 5_000 }).toMatchObject({ handled: 1, failed: 1 });
    expect(refusals).toMatchObject([{ code: "unique-violation" }]);
  });

  it("goes on after what the database refused, also of several changes at once", async () => {
    const refused: string[] = [];
    await handleBy(async (_event, { useCases }) => {
      const numbers = ["AB-1000", "AB-1000", "AB-1001", "AB-1001", "AB-1002"];
      const writes = await Promise.allSettled(numbers.map((number) => useCases.boundVolume.create(volume(number))));
      for (const write of writes)
        if (write.status === "rejected")
          refused.push(write.reason instanceof Refusal ? write.reason.code : String(write.reason));
    });
    await go();
    await expect.poll(counts).toMatchObject({ handled: 1, failed: 0 });
    expect(refused).toEqual(["unique-violation", "unique-violation"]);
    expect((await listed()).map(({ callNumber }) => callNumber).sort()).toEqual(["AB-1000", "AB-1001", "AB-1002"]);
    await heard.heard(3);
  });

  it("says no, and its event is parked for operators, who may hand it in again", async () => {
    let isOpen = false;
    await handleBy(async (event) => {
      if (!isOpen) throw new EventRefusal(`closed for ${event.subject}`, "closed");
    });
    const { id } = await go({ subject: "x" });
    const list = async () => (await service.call("GET", "/api/v1/parked-events", undefined, asOperator)).body.items;
    await expect.poll(list).toMatchObject([{ id, group, error: { code: "closed", message: "closed for x" } }]);
    await expect(events?.parked.redrive(id, undefined)).rejects.toMatchObject({ code: "event-failed" });
    isOpen = true;
    await events?.parked.redrive(id, undefined);
    expect(await list()).toEqual([]);
  });
});
