/** Events between services: over NATS, where each has a stream of its own. NATS goes and comes back; nothing is lost. */
import { type Broker, type CloudEvent, createConsumer, eventMessage, type RunStore } from "@clean-arch/runtime";
import { createNatsBroker } from "@clean-arch/runtime/nats";
import { type Nats, startNats } from "@clean-arch/test-servers";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Settings } from "../../src/infrastructure/config/settings.js";
import { createLogger } from "../../src/infrastructure/logging/logger.js";
import { createEvents, eventsOf } from "../../src/infrastructure/messaging/events.js";
import { createRunStore } from "../../src/infrastructure/session/run-store.js";
import { asOperator, startService, type TestService } from "../integration/service.js";

const volumes = "/api/v1/bound-volumes";
const volume = (number: number) => ({ title: "Faust", call_number: `AB-${number}`, page_count: 5, price: "1.50" });
const logger = createLogger("test", "silent");
const SILENT = "events-over-nats";

let nats: Nats;
beforeAll(async () => {
  nats = await startNats();
}, 60_000);
afterAll(() => nats.remove());

/** Of a name of its own, so that each test has its streams. */
async function start(name: string): Promise<TestService> {
  const change = (settings: Settings) => ({ ...settings, name, app: { ...settings.app, nats: { url: nats.url } } });
  const service = await startService({}, change);
  onTestFinished(() => service.close());
  return service;
}

async function storeOf(service: TestService): Promise<RunStore> {
  const store = createRunStore(service.settings);
  await store.open();
  return store;
}

async function brokerOf(service: string): Promise<Broker> {
  const broker = createNatsBroker({ servers: `127.0.0.1:${nats.port}`, stream: service, prefix: service });
  await broker.open();
  return broker;
}

test("what a service publishes, another one handles that says whose events it wants", async () => {
  const shop = await start("shop");
  const library = await start("library");
  const store = await storeOf(library);
  const came: CloudEvent[] = [];
  const handle = (event: CloudEvent) => void came.push(event);
  const events = createEvents({
    ...{ settings: library.settings, store, broker: null, published: new Map(), logger },
    handled: [{ group: "library-on_volume", from: "shop", subjects: ["bound_volume.*"], handling: { handle } }],
  });
  onTestFinished(async () => {
    await events.close();
    await store.close();
  });
  await events.open();
  const { id } = (await shop.call("POST", volumes, volume(1000))).body;
  await library.call("POST", volumes, volume(1001));
  await shop.call("DELETE", `${volumes}/${id}`);
  await expect
    .poll(() => came.map(({ type, subject, source }) => [type, subject, source]))
    .toEqual([
      ["bound_volume.created", id, "/services/shop"],
      ["bound_volume.deleted", id, "/services/shop"],
    ]);
  await expect.poll(() => events.consumers[0]?.counts).toMatchObject({ handled: 2, failed: 0 });
});

test("the service's own handler gets what the service that its config names has published before", async () => {
  const billing = await brokerOf("billing-service");
  const event = { specversion: "1.0", source: "/services/billing-service", type: "payment.captured" } as const;
  await billing.publish([eventMessage({ ...event, id: "paid-1" }), eventMessage({ ...event, id: "paid-2" })]);
  const service = await start("reader");
  const group = 'group="reference-service-on_payment_captured"';
  const metrics = async () => (await service.call("GET", "/metrics")).body;
  await expect.poll(metrics).toContain(`clean_arch_events_consumed_total{${group}} 2`);
  // What came is known by its id: again it is none.
  await billing.publish([eventMessage({ ...event, id: "paid-3" })]);
  await expect.poll(metrics).toContain(`clean_arch_events_consumed_total{${group}} 3`);
  await expect.poll(metrics).toContain(`clean_arch_events_waiting{${group}} 0`);
  await billing.close();
});

test("without NATS the service takes changes and keeps their events, and readiness names the broker", async () => {
  const service = await start(SILENT);
  const ready = () => service.call("GET", "/health/ready");
  await expect.poll(ready).toMatchObject({ status: 200, body: { dependencies: { broker: { status: "up" } } } });
  const { id } = (await service.call("POST", volumes, volume(1000))).body;
  await nats.stop();
  await expect.poll(ready, { timeout: 10_000 }).toMatchObject({
    status: 503,
    body: { dependencies: { broker: { status: "down" }, database: { status: "up" } } },
  });
  for (const pages of [6, 7]) {
    const changed = await service.call("PATCH", `${volumes}/${id}`, { page_count: pages });
    expect(changed.status).toBe(200);
  }
  await nats.start();
  await expect.poll(ready, { timeout: 15_000 }).toMatchObject({ status: 200 });
  const broker = await brokerOf(SILENT);
  const store = await storeOf(service);
  const revisions: unknown[] = [];
  const consumer = createConsumer({
    ...{ broker, store: eventsOf(store), group: "tests", subjects: ["bound_volume.*"] },
    handle: ({ data }) => void revisions.push((data as { revision?: number }).revision),
  });
  await consumer.start();
  await expect.poll(() => revisions, { timeout: 15_000 }).toEqual([1, 2, 3]);
  await consumer.stop();
  await broker.close();
  await store.close();
  expect((await service.call("GET", "/api/v1/parked-events", undefined, asOperator)).body.items).toEqual([]);
}, 60_000);

test("in production a service that wants another one's events does not start without NATS", async () => {
  const service = await startService();
  const store = await storeOf(service);
  const handled = [{ group: "g", from: "shop", subjects: [">"], handling: { handle: () => {} } }];
  const parts = { store, broker: null, handled, published: new Map(), logger };
  const settings = { ...service.settings, production: true };
  expect(() => createEvents({ ...parts, settings })).toThrow(
    /NATS_URL: expected nats:\/\/host:port in production.*shop/,
  );
  await store.close();
  await service.close();
});
