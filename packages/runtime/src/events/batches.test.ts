import { describe, expect, it } from "vitest";
import type { EventMessage } from "../broker/event-message.js";
import { RuntimeError } from "../errors.js";
import type { EventBatch } from "../store/event-store.js";
import type { MemoryClient } from "../stores/memory/index.js";
import { type Consumer, createConsumer } from "./consumer.js";
import type { ConsumerOptions } from "./consumer-options.js";
import { event, eventBench, intercepted } from "./event-bench.test.support.js";
import type { EventTransactionContext } from "./event-context.js";
import { EventRefusal } from "./event-refusal.js";

/** Events that share a transaction, and what becomes of the others when one of them goes wrong. */

type Context = EventTransactionContext<MemoryClient>;

/** Of a key each, so that they wait at the same time. */
const eachOfItsOwn = (from: number, to: number): EventMessage[] =>
  Array.from({ length: to - from + 1 }, (_, at) => event(from + at, `order-${from + at}`));

const count = (id: string, { client }: Context): void => client.set(id, Number(client.get(id) ?? 0) + 1);

/** A consumer that has found that its handlers are quick. `fail`: what becomes of the commit of a batch. */
async function batchBench(options: Partial<ConsumerOptions<MemoryClient>>) {
  const bench = await eventBench();
  /** The ids of each batch that was begun. */
  const begun: (readonly string[])[] = [];
  let meddle: (batch: EventBatch) => Partial<EventBatch> = () => ({});
  const { batches } = bench.events;
  if (batches === undefined) throw new Error("expected a store with batches");
  const store = intercepted(bench.events, {
    batches: {
      ...batches,
      atOnce: 1,
      async begin(group, ids) {
        begun.push(ids);
        const batch = await batches.begin(group, ids);
        return { ...batch, ...meddle(batch) };
      },
    },
  });
  const consumer: Consumer = createConsumer<MemoryClient>({
    ...{ broker: bench.server.connect(), store, group: "billing", subjects: ["shop.>"] },
    ...{ ports: bench.ports, logger: bench.logger, backoff: { initialDelayMs: 100, maxDelayMs: 100 } },
    ...options,
  });
  await consumer.start();
  const publish = async (messages: readonly EventMessage[]): Promise<void> => {
    await bench.server.connect().publish(messages);
    await bench.settle();
  };
  await publish(eachOfItsOwn(1, 30));
  const warmUp = begun.splice(0);
  const stop = async (): Promise<void> => {
    await consumer.stop();
    await bench.settle();
    expect(bench.clock.pending).toBe(0);
  };
  return {
    ...bench,
    ...{ begun, warmUp, consumer, publish, stop, value: (id: string) => bench.world.values.get(id) },
    meddleWith: (by: typeof meddle) => {
      meddle = by;
    },
  };
}

const NEW = eachOfItsOwn(31, 40);
const ids = (messages: readonly EventMessage[]) => messages.map(({ id }) => id);

describe("events that wait at the same time", () => {
  it("share a transaction, and what they publish leaves with it", async () => {
    const { begun, consumer, publish, value, events, stop } = await batchBench({
      handleWithin: ({ id }, context) => {
        count(id, context);
        context.publish([event(1_000 + Number(id.slice(6)), "invoice-1", "billing.invoice.sent")]);
      },
    });
    await publish(NEW);
    expect(begun).toEqual([ids(NEW)]);
    for (const id of ids(NEW)) expect(value(id)).toBe("1");
    expect(await events.put([event(1_031, "invoice-1"), event(1_040, "invoice-1")])).toEqual([
      { kind: "duplicate" },
      { kind: "duplicate" },
    ]);
    expect(consumer.counts).toMatchObject({ handled: 40, duplicates: 0, failed: 0, batchesUndone: 0 });
    await stop();
  });

  it("are kept together when their effects lie elsewhere, and known by it when they come again", async () => {
    const handled: string[] = [];
    const { begun, consumer, server, publish, settle, events, stop } = await batchBench({
      handle: ({ id }, { publish: leave }) => {
        handled.push(id);
        leave([event(1_000 + Number(id.slice(6)), "invoice-1", "billing.invoice.sent")]);
      },
    });
    handled.splice(0);
    await publish(NEW);
    server.redeliver();
    await settle();
    expect(handled).toEqual(ids(NEW));
    expect(begun[0]).toEqual(ids(NEW));
    expect(consumer.counts).toMatchObject({ handled: 40, duplicates: 40, failed: 0 });
    expect(await events.put([event(1_040, "invoice-1")])).toEqual([{ kind: "duplicate" }]);
    await stop();
  });

  it("happen once elsewhere too when what keeps them together fails: each is kept by itself", async () => {
    const handled: string[] = [];
    const { meddleWith, consumer, publish, events, stop } = await batchBench({
      handle: ({ id }) => void handled.push(id),
    });
    handled.splice(0);
    meddleWith(() => ({
      commit: () => Promise.reject(new RuntimeError("store-unavailable", "the connection was cut")),
    }));
    await publish(NEW);
    expect(handled).toEqual(ids(NEW));
    expect(consumer.counts).toMatchObject({ handled: 40, failed: 0, batchesUndone: 1 });
    for (const id of ids(NEW)) expect(await events.begin("billing", id)).toBe("handled");
    await stop();
  });

  it("have one each when they come one by one, and where that is wanted", async () => {
    const alone = await batchBench({ handleWithin: ({ id }, context) => count(id, context) });
    for (const message of NEW) await alone.publish([message]);
    expect(alone.begun).toEqual([]);
    await alone.stop();
    const off = await batchBench({ batch: 1, handleWithin: ({ id }, context) => count(id, context) });
    await off.publish(NEW);
    expect([off.warmUp, off.begun, off.consumer.counts.handled]).toEqual([[], [], 40]);
    await off.stop();
  });

  it("are begun a few at a time at first, and as many as the option says at most", async () => {
    const { warmUp, begun, publish, stop } = await batchBench({
      batch: 4,
      handleWithin: ({ id }, context) => count(id, context),
    });
    expect(warmUp[0]).toHaveLength(2);
    await publish(NEW);
    expect(begun.map(({ length }) => length)).toEqual([4, 4, 2]);
    await stop();
  });

  it("share none any more when their handlers turn out slow: those of many would keep each other waiting", async () => {
    let work = async (): Promise<void> => {};
    const { begun, consumer, clock, publish, pass, value, stop } = await batchBench({
      handleWithin: async ({ id }, context) => {
        await work();
        count(id, context);
      },
    });
    work = () => new Promise((resolve) => void clock.after(200, resolve));
    await publish(NEW);
    await pass(5_000);
    begun.splice(0);
    const more = eachOfItsOwn(41, 50);
    await publish(more);
    await pass(5_000);
    expect(begun).toEqual([]);
    expect(consumer.counts).toMatchObject({ handled: 50, failed: 0, batchesUndone: 1 });
    for (const id of ids([...NEW, ...more])) expect(value(id)).toBe("1");
    await stop();
  });
});

describe("a batch that goes wrong", () => {
  it("costs nobody an attempt but the one that fails, which is then parked by its own count", async () => {
    const attempts = new Map<string, number[]>();
    const { begun, consumer, publish, pass, value, events, stop } = await batchBench({
      attempts: 2,
      handleWithin: ({ id }, context) => {
        attempts.set(id, [...(attempts.get(id) ?? []), context.attempt]);
        count(id, context);
        context.publish([event(1_000 + Number(id.slice(6)), "invoice-1", "billing.invoice.sent")]);
        if (id === "event-33") throw new Error("no such customer");
      },
    });
    await publish(NEW);
    await pass(1_000);
    for (const id of ids(NEW)) expect(value(id)).toBe(id === "event-33" ? undefined : "1");
    // In the batch, by itself, and by itself again.
    expect(attempts.get("event-33")).toEqual([1, 1, 2]);
    for (const id of ["event-31", "event-40"]) expect(new Set(attempts.get(id))).toEqual(new Set([1]));
    expect(begun.flat().filter((id) => id === "event-33")).toHaveLength(1);
    expect(consumer.counts).toMatchObject({ handled: 39, failed: 2, parked: 1, batchesUndone: 1 });
    expect((await consumer.parked.list()).items).toMatchObject([{ event: { id: "event-33" }, attempts: 2 }]);
    expect(await events.put([event(1_033, "invoice-1"), event(1_034, "invoice-1")])).toEqual([
      { kind: "stored" },
      { kind: "duplicate" },
    ]);
    await stop();
  });

  it("has none of those that failed when they come again, which they may do together", async () => {
    const { begun, consumer, publish, pass, stop } = await batchBench({
      handleWithin: ({ id }, { attempt }) => {
        if (["event-33", "event-34"].includes(id) && attempt < 3) throw new Error("not yet");
      },
    });
    await publish(NEW);
    for (const message of eachOfItsOwn(41, 46)) await publish([message]);
    begun.splice(0);
    await pass(1_000);
    expect(begun).toEqual([]);
    expect(consumer.counts).toMatchObject({ handled: 46, failed: 4, batchesUndone: 1 });
    await stop();
  });

  it("parks at once what its handler refuses, and nothing else", async () => {
    const { consumer, publish, stop } = await batchBench({
      handleWithin: ({ id }) => {
        if (id === "event-40") throw new EventRefusal("no");
      },
    });
    await publish(NEW);
    expect(consumer.counts).toMatchObject({ handled: 39, failed: 1, parked: 1 });
    await stop();
  });

  it("lets nobody wait for a handler that hangs longer than a moment, and gives that one its own time", async () => {
    const bench = await batchBench({
      attempts: 1,
      handleWithin: ({ id }, context) => {
        count(id, context);
        return id === "event-33" ? new Promise(() => {}) : undefined;
      },
    });
    await bench.publish(NEW);
    expect(bench.consumer.counts.handled).toBe(30);
    await bench.pass(600);
    expect(bench.consumer.counts).toMatchObject({ handled: 39, failed: 0, timedOut: 0 });
    await bench.pass(28_000);
    expect(bench.consumer.counts).toMatchObject({ timedOut: 0, parked: 0 });
    await bench.pass(2_000);
    expect(bench.consumer.counts).toMatchObject({ handled: 39, timedOut: 1, parked: 1 });
    expect(bench.value("event-33")).toBeUndefined();
    await bench.publish(eachOfItsOwn(41, 50));
    expect(bench.consumer.counts.handled).toBe(49);
    await bench.stop();
  });

  it.each([
    ["is refused", async () => {}],
    ["happens, and its answer is lost", (batch: EventBatch) => batch.commit()],
  ])("happens once when its commit %s", async (_, commit) => {
    const { meddleWith, consumer, publish, value, stop } = await batchBench({
      handleWithin: ({ id }, context) => count(id, context),
    });
    meddleWith((batch) => ({
      async commit() {
        await commit(batch);
        throw new RuntimeError("store-unavailable", "the connection was cut");
      },
    }));
    await publish(NEW);
    for (const id of ids(NEW)) expect(value(id)).toBe("1");
    const { handled, duplicates, failed, batchesUndone } = consumer.counts;
    expect([handled + duplicates, failed, batchesUndone]).toEqual([40, 0, 1]);
    await stop();
  });
});
