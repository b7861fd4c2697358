import { describe, expect, it } from "vitest";
import type { Broker } from "../broker/broker.js";
import { brokerOf, nats, ownStream } from "../brokers/nats/throwaway.test.support.js";
import { resolveConfig } from "../config.js";
import { saga } from "../saga/builder.js";
import type { SagaManager } from "../saga/manager.js";
import { createSagaManager } from "../saga/saga-manager.js";
import type { RunStore } from "../store/run-store.js";
import { createMemoryRunStore } from "../stores/memory/index.js";
import { door, until } from "../testing/broker/world.js";
import { defineEventParticipant } from "./event-participant.js";
import { type StageEvent, stageMessage } from "./stage-events.js";
import { inMemory, TwoServices } from "./two-services.test.support.js";
import { unitRunId } from "./unit-entry.js";

const WAIT_MS = 15_000;

async function setUp() {
  const newBroker = await inMemory();
  return { newBroker, services: new TwoServices(newBroker) };
}

async function place(orders: SagaManager, input = {}) {
  const { id } = await orders.start("order", input);
  return orders.wait(id, WAIT_MS);
}

/** As another service tells it. */
async function tell(broker: Broker, parts: Pick<StageEvent, "id" | "run" | "unit" | "news"> & Partial<StageEvent>) {
  await broker.open();
  const bare = { carried: null, error: null, refused: false, isLate: false, output: null, changed: null };
  await broker.publish([stageMessage({ ...bare, saga: "order", version: "v", ...parts }, "/order", Date.now())]);
}

describe("a stage in another service", () => {
  it("is begun by the event before it, sees what came before, and what it returns goes on", async () => {
    const { services } = await setUp();
    const orders = await services.orders();
    await services.shipping();
    const run = await place(orders);
    expect(run).toMatchObject({ status: "completed", output: { by: "ship" } });
    expect(run.steps.map(({ name, status }) => `${name} ${status}`)).toEqual([
      "charge completed",
      "ship completed",
      "notify completed",
    ]);
    expect(services.log).toEqual(["charge", "ship", "notify"]);
    expect(services.outputs).toEqual([{ charge: { by: "charge" } }]);
  });

  it("is undone in its turn when a stage behind it says no", async () => {
    const { services } = await setUp();
    const orders = await services.orders();
    await services.shipping();
    const run = await place(orders, { refuse: "notify" });
    expect(run).toMatchObject({ status: "compensated", error: { message: "notify says no" } });
    expect(run.steps.map(({ compensation }) => compensation?.status ?? null)).toEqual([
      "compensated",
      "compensated",
      null,
    ]);
    expect(services.log).toEqual(["charge", "ship", "undo ship", "undo charge"]);
  });

  it("undoes what was before it when it says no itself", async () => {
    const { services } = await setUp();
    const orders = await services.orders();
    await services.shipping();
    expect(await place(orders, { refuse: "ship" })).toMatchObject({
      status: "compensated",
      error: { message: "ship says no" },
    });
    expect(services.log).toEqual(["charge", "undo charge"]);
  });

  it("waits for its service, and is performed once when two instances of it come", async () => {
    const { services } = await setUp();
    const orders = await services.orders();
    const { id } = await orders.start("order", {});
    await until(async () => (await orders.get(id)).steps[0]?.status === "completed");
    expect(await orders.get(id)).toMatchObject({ status: "running", steps: [{}, { status: "pending" }, {}] });
    await services.shipping();
    await services.shipping();
    expect(await orders.wait(id, WAIT_MS)).toMatchObject({ status: "completed" });
    expect(services.log).toEqual(["charge", "ship", "notify"]);
  });

  it("takes events that come twice, and late, for what they are", async () => {
    const { services, newBroker } = await setUp();
    const orders = await services.orders();
    const shipping = await services.shipping();
    const run = await place(orders, { refuse: "notify" });
    const broker = newBroker();
    const again = { run: run.id, carried: { input: {}, outputs: {}, context: {} } } as const;
    await tell(broker, { ...again, id: "again-1", unit: "charge", news: "completed" });
    await tell(broker, { ...again, id: "again-2", unit: "notify", news: "compensated" });
    // A run that comes after them, and ends, has passed them by.
    await place(orders);
    expect(services.log).toEqual(["charge", "ship", "undo ship", "undo charge", "charge", "ship", "notify"]);
    const { items } = await shipping.list({ status: ["running", "waiting", "pending", "stuck"] });
    expect(items).toEqual([]);
    await broker.close();
  });

  it("does not begin any more when what undoes it comes first", async () => {
    const { services, newBroker } = await setUp();
    const shipping = await services.shipping();
    const broker = newBroker();
    const run = "0192f0c1-0000-7000-8000-000000000001";
    const carried = { input: {}, outputs: {}, context: {} };
    await tell(broker, { run, id: "1", unit: "notify", news: "compensated" });
    await until(async () => (await shipping.list({ definition: "order.ship" })).items.length === 1);
    await tell(broker, { run, id: "2", unit: "charge", news: "completed", carried });
    await shipping.wait(unitRunId(run, "ship"), WAIT_MS);
    const other = "0192f0c1-0000-7000-8000-000000000002";
    await tell(broker, { run: other, id: "3", unit: "charge", news: "completed", carried });
    await until(() => services.log.length > 0);
    expect(services.log).toEqual(["ship"]);
    expect((await shipping.get(unitRunId(other, "ship"))).status).not.toBe("cancelled");
    await broker.close();
  });

  it("is followed back though the stage before it was told so in the moment of its end", async () => {
    const { services } = await setUp();
    const wait = door();
    const charge = (run: string): string => unitRunId(run, "charge");
    let id = "";
    const orders = await services.orders({
      store: (store) =>
        overlay(store, {
          async signal(signals) {
            const results = await store.signal(signals);
            if (signals.some(({ run, kind }) => run === charge(id) && kind === "verb")) wait.open();
            return results;
          },
          // It ends before it has read that.
          async renew(request) {
            const result = await store.renew(request);
            if (result.kind !== "active") return result;
            return { ...result, inbox: result.inbox.filter(({ run }) => run !== charge(id)) };
          },
        }),
    });
    services.before = (name) => (name === "charge" ? wait.opened : undefined);
    await services.shipping();
    ({ id } = await orders.start("order", {}));
    await until(async () => (await orders.get(id)).steps[0]?.status === "running");
    await orders.act(id, "cancel", { actor: "me", reason: "changed my mind", idempotencyKey: "1" });
    expect(await orders.wait(id, WAIT_MS)).toMatchObject({ status: "cancelled" });
    expect(services.log).toEqual(["charge", "undo charge"]);
  });

  it("that waits for an event under another name shows in the run, whose time is up", async () => {
    const { services } = await setUp();
    const orders = await services.orders({ timeout: "1s" });
    await services.shipping({ on: "order.charged.completed" });
    expect(await place(orders)).toMatchObject({ status: "compensated", error: { code: "run-timeout" } });
    expect(services.log).toEqual(["charge", "undo charge"]);
  });

  it("that nobody has shows in the run, which stays on its way back", async () => {
    const { services } = await setUp();
    const orders = await services.orders({ timeout: "300ms" });
    const { id } = await orders.start("order", {});
    await until(async () => (await orders.get(id)).status === "compensating");
    expect(await orders.get(id)).toMatchObject({ error: { code: "run-timeout" }, rollbackStatus: "running" });
  });

  it("waits for an operator of its own service, and the run shows that", async () => {
    const { services } = await setUp();
    const orders = await services.orders();
    let fails = true;
    const shipping = await services.shipping({
      compensate: () => {
        if (fails) throw new Error("not now");
        services.log.push("undo ship");
      },
      retry: { maxAttempts: 1 },
    });
    const { id } = await orders.start("order", { refuse: "notify" });
    await until(async () => (await orders.get(id)).status === "stuck");
    fails = false;
    const unit = (await shipping.list({ status: ["stuck"] })).items[0]?.id ?? "";
    await shipping.act(unit, "resume", { actor: "me", reason: "mended", idempotencyKey: "1" });
    expect(await orders.wait(id, WAIT_MS)).toMatchObject({ status: "compensated" });
    expect(services.log).toEqual(["charge", "ship", "undo ship", "undo charge"]);
  });
});

it("effects happen once over NATS that is killed again and again", async () => {
  const server = await nats();
  const own = ownStream();
  const services = new TwoServices(() => brokerOf(server.port, own));
  const orders = await services.orders();
  await services.shipping();
  const ends: Promise<{ readonly status: string }>[] = [];
  for (let n = 0; n < 20; n += 1) {
    const { id } = await orders.start("order", n % 2 === 0 ? {} : { refuse: "notify" });
    ends.push(orders.wait(id, WAIT_MS));
    if (n % 10 !== 5) continue;
    await server.kill();
    await server.start();
  }
  const statuses = (await Promise.all(ends)).map(({ status }) => status);
  expect(statuses).toEqual(statuses.map((_, n) => (n % 2 === 0 ? "completed" : "compensated")));
  const counted = Object.fromEntries([...new Set(services.log)].map((what) => [what, count(services.log, what)]));
  expect(counted).toEqual({ charge: 20, ship: 20, notify: 10, "undo ship": 10, "undo charge": 10 });
});

describe("a stage declared by its events", () => {
  const run = () => null;
  const named = { saga: "order", stage: "ship", run };
  const on = "order.charge.completed";

  it.each([
    [{ on: "charge.completed", compensatesOn: [] }, '"on"'],
    [{ on: "order.ship.completed", compensatesOn: [] }, '"on"'],
    [{ on: "order.*.completed", compensatesOn: [] }, '"on"'],
    [{ on, compensatesOn: ["order.notify.completed"] }, '"compensatesOn"'],
    [{ on, compensatesOn: ["order.a.compensated", "order.b.compensated"] }, '"compensatesOn"'],
    [{ on, compensatesOn: ["order.a.compensated", "order.abort"] }, '"compensatesOn"'],
    [{ on, compensatesOn: [], stage: "a.b" }, "a stage named"],
  ])("is refused where they cannot fit: %j", (options, message) => {
    expect(() => defineEventParticipant({ ...named, ...options })).toThrow(message);
  });

  it("needs the name of its service where a broker is shared", () => {
    const ship = defineEventParticipant({ ...named, on, compensatesOn: [] });
    const options = { store: createMemoryRunStore(), definitions: [], participants: {}, config: resolveConfig({}) };
    const make = () => createSagaManager({ ...options, eventParticipants: [ship], broker: {} as Broker });
    expect(make).toThrow("eventGroup");
  });

  it("belongs to a choreographed saga", () => {
    const definition = saga("order").step("ship", { performed: "elsewhere" }).build();
    const options = { store: createMemoryRunStore(), participants: {}, config: resolveConfig({}) };
    expect(() => createSagaManager({ ...options, definitions: [definition] })).toThrow(
      'step "ship" is performed elsewhere',
    );
  });
});

/** The store, some of its methods others. */
function overlay(store: RunStore, methods: Partial<RunStore>): RunStore {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function count(log: readonly string[], what: string): number {
  return log.filter((each) => each === what).length;
}
