import { describe, expect, it, vi } from "vitest";
import { RuntimeError } from "../errors.js";
import type { MemoryClient } from "../stores/memory/index.js";
import { cloudEvent, eventMessage } from "./cloud-event.js";
import { type Consumer, createConsumer } from "./consumer.js";
import type { ConsumerOptions } from "./consumer-options.js";
import { event, eventBench, events, intercepted } from "./event-bench.test.support.js";
import type { EventTransactionContext } from "./event-context.js";
import { EventRefusal } from "./event-refusal.js";

const GROUP = "billing";
type Context = EventTransactionContext<MemoryClient>;

async function consumerBench() {
  const bench = await eventBench();
  const started: Consumer[] = [];
  const start = async (options: Partial<ConsumerOptions<MemoryClient>>): Promise<Consumer> => {
    const consumer = createConsumer<MemoryClient>({
      ...{ broker: bench.server.connect(), store: bench.events, group: GROUP, subjects: ["shop.>"] },
      ...{ ports: bench.ports, logger: bench.logger, backoff: { initialDelayMs: 100, maxDelayMs: 100 } },
      ...options,
    });
    started.push(consumer);
    await consumer.start();
    return consumer;
  };
  /** Straight to the broker: the relay is not what is tested here. */
  const publish = async (messages = [event(1)]) => {
    await bench.server.connect().publish(messages);
    await bench.settle();
  };
  const stop = async () => {
    for (const consumer of started) await consumer.stop();
    await bench.settle();
    expect(bench.clock.pending).toBe(0);
  };
  return { ...bench, start, publish, stop, value: (key: string) => bench.world.values.get(key) };
}

/** Counts the effects of an event in the database. */
const count = (id: string, { client }: Context): void => client.set(id, Number(client.get(id) ?? 0) + 1);

describe("an effect in the store's database", () => {
  it("happens once, however often the event comes", async () => {
    const bench = await consumerBench();
    const consumer = await bench.start({ handleWithin: ({ id }, context) => count(id, context) });
    await bench.publish(events(1, 5));
    bench.server.redeliver();
    await bench.settle();
    for (const { id } of events(1, 5)) expect(bench.value(id)).toBe("1");
    expect(consumer.counts).toMatchObject({ handled: 5, duplicates: 5, failed: 0, parked: 0 });
    expect(await consumer.lag()).toBe(0);
    await bench.stop();
  });

  it("of an attempt that fails is undone, with what it published, and the event comes again after its backoff", async () => {
    const bench = await consumerBench();
    const seen: number[] = [];
    await bench.start({
      async handleWithin({ id }, context) {
        count(id, context);
        context.publish([event(100 + context.attempt, "invoice-1", "billing.invoice.sent")]);
        seen.push(context.attempt);
        await Promise.resolve();
        if (context.attempt < 3) throw new Error("not yet");
      },
    });
    await bench.publish();
    expect(seen).toEqual([1]);
    await bench.pass(300);
    expect(seen).toEqual([1, 2, 3]);
    expect(bench.value("event-1")).toBe("1");
    const relay = bench.relay();
    await relay.start();
    await bench.settle();
    expect(bench.server.ids).toEqual(["event-1", "event-103"]);
    await relay.stop();
    await bench.stop();
  });

  it("happens once when the answer to its commit is lost", async () => {
    const bench = await consumerBench();
    let lost = 0;
    const store = intercepted(bench.events, {
      begin: async (...args) => {
        const transaction = await bench.events.begin(...args);
        if (transaction === "handled" || lost > 0) return transaction;
        const commit = async () => {
          lost += 1;
          await transaction.commit();
          throw new RuntimeError("store-unavailable", "the connection was cut");
        };
        return { client: transaction.client, commit, rollback: () => transaction.rollback() };
      },
    });
    const consumer = await bench.start({ store, handleWithin: ({ id }, context) => count(id, context) });
    await bench.publish();
    await bench.pass(1_000);
    expect([lost, bench.value("event-1")]).toEqual([1, "1"]);
    expect(consumer.counts).toMatchObject({ failed: 0, duplicates: 1 });
    await bench.stop();
  });

  it("is undone when the handler takes too long, and what it does later is refused", async () => {
    const bench = await consumerBench();
    const late: unknown[] = [];
    let contexts: Context[] = [];
    const consumer = await bench.start({
      timeoutMs: 1_000,
      attempts: 2,
      handleWithin: (_, context) => {
        contexts = [...contexts, context];
        context.client.set("late", 1);
        return new Promise(() => {});
      },
    });
    await bench.publish();
    await bench.pass(1_000);
    expect(contexts.map(({ signal }) => signal.aborted)).toEqual([true]);
    for (const use of [() => contexts[0]?.client.set("late", 2), () => contexts[0]?.publish([event(9)])]) {
      try {
        use();
      } catch (error) {
        late.push((error as RuntimeError).code);
      }
    }
    expect(late).toEqual(["definition-invalid", "definition-invalid"]);
    await bench.pass(1_200);
    expect(contexts).toHaveLength(2);
    expect(bench.value("late")).toBeUndefined();
    expect(consumer.counts).toMatchObject({ failed: 2, timedOut: 2, parked: 1 });
    expect((await consumer.parked.list()).items).toMatchObject([{ error: { code: "handler-timeout" }, attempts: 2 }]);
    await bench.stop();
  });

  it("waits for a store that does not answer, which costs the event no attempt", async () => {
    const bench = await consumerBench();
    let isDown = true;
    const attempts: number[] = [];
    const store = intercepted(bench.events, {
      begin: async (...args) => {
        if (isDown) throw new RuntimeError("store-unavailable", "no way to the database");
        return bench.events.begin(...args);
      },
    });
    const consumer = await bench.start({
      store,
      attempts: 2,
      handleWithin: (_, { attempt }) => void attempts.push(attempt),
    });
    await bench.publish();
    await bench.pass(600_000, 1_000);
    isDown = false;
    await bench.pass(5_000);
    expect(attempts).toEqual([1]);
    expect(consumer.counts).toMatchObject({ handled: 1, failed: 0, parked: 0 });
    await bench.stop();
  });
});

describe("an effect elsewhere", () => {
  it("is kept as handled after it, with what it published, and not repeated", async () => {
    const bench = await consumerBench();
    const calls: string[] = [];
    const consumer = await bench.start({
      async handle({ id }, { publish }) {
        calls.push(id);
        await Promise.resolve();
        publish([event(100, "invoice-1")]);
      },
    });
    await bench.publish();
    bench.server.redeliver();
    await bench.settle();
    expect(calls).toEqual(["event-1"]);
    expect(consumer.counts).toMatchObject({ handled: 1, duplicates: 1 });
    expect(await bench.events.put([event(100, "invoice-1")])).toEqual([{ kind: "duplicate" }]);
    await bench.stop();
  });
});

describe("an event that cannot be handled", () => {
  it("is parked after its attempts, and holds up nobody", async () => {
    const bench = await consumerBench();
    const calls = vi.fn();
    const consumer = await bench.start({
      attempts: 3,
      handle: ({ id }) => {
        calls(id);
        if (id === "event-1") throw new Error("no such customer");
      },
    });
    await bench.publish([event(1), event(2), event(3, "order-2")]);
    await bench.pass(1_000);
    expect(calls.mock.calls.filter(([id]) => id === "event-1")).toHaveLength(3);
    expect(consumer.counts).toMatchObject({ handled: 2, failed: 3, parked: 1 });
    const { items } = await consumer.parked.list();
    const error = { code: "handler-threw", message: "no such customer" };
    expect(items).toMatchObject([{ group: GROUP, event: { id: "event-1" }, error, attempts: 3 }]);
    bench.server.redeliver();
    await bench.settle();
    expect(calls.mock.calls.filter(([id]) => id === "event-1")).toHaveLength(3);
    await bench.stop();
  });

  it.each([
    ["is refused by its handler", event(1), "customer-blocked"],
    ["is no CloudEvent", { ...event(1), body: "{}" }, "event-invalid"],
    [
      "is of an unknown version",
      eventMessage(
        cloudEvent({
          ...{ id: "event-1", source: "/s", data: 1 },
          type: "shop.order.placed",
          dataschema: "urn:placed:9",
        }),
      ),
      "event-unknown",
    ],
  ])("is parked at once when it %s", async (_, message, code) => {
    const bench = await consumerBench();
    const consumer = await bench.start({
      knows: ({ dataschema }) => dataschema === undefined,
      handle: () => {
        throw new EventRefusal("no", "customer-blocked");
      },
    });
    await bench.publish([message]);
    expect((await consumer.parked.list()).items).toMatchObject([{ event: { id: "event-1" }, error: { code } }]);
    expect(await consumer.lag()).toBe(0);
    await bench.stop();
  });

  it("is parked without a call when it was given out far too often: it may take its process down", async () => {
    const bench = await consumerBench();
    const calls = vi.fn();
    await bench.publish();
    for (let n = 1; n <= 6; n += 1) {
      const broker = bench.server.connect();
      await bench.start({ broker, attempts: 3, handle: () => new Promise(() => {}) });
      await bench.settle();
      broker.die();
    }
    const consumer = await bench.start({ attempts: 3, handle: calls });
    await bench.settle();
    expect(calls).not.toHaveBeenCalled();
    expect((await consumer.parked.list()).items).toMatchObject([
      { error: { code: "attempts-exhausted" }, attempts: 7 },
    ]);
    await bench.stop();
  });
});

describe("a parked event", () => {
  async function parkedOne() {
    const bench = await consumerBench();
    let isBroken = true;
    const options: Partial<ConsumerOptions<MemoryClient>> = {
      handleWithin: ({ id }, context) => {
        count(id, context);
        if (isBroken) throw new EventRefusal("not now");
      },
    };
    const consumer = await bench.start(options);
    const other = await bench.start({ ...options, group: "other" });
    await bench.publish(events(1, 3));
    const mend = (): void => {
      isBroken = false;
    };
    return { ...bench, consumer, other, mend };
  }

  it("is handed to its own group again, stays parked while that fails, and its effect happens once", async () => {
    const { consumer, other, mend, value, server, settle, stop } = await parkedOne();
    await expect(consumer.parked.redrive("event-1")).rejects.toThrow("not now");
    expect((await consumer.parked.list()).items).toHaveLength(3);
    expect(await consumer.parked.redriveAll()).toEqual({ redriven: 0, failed: 3 });
    mend();
    expect(await Promise.all([consumer.parked.redrive("event-1"), consumer.parked.redrive("event-1")])).toContain(true);
    expect(await consumer.parked.redrive("event-1")).toBe(false);
    expect(await consumer.parked.redriveAll()).toEqual({ redriven: 2, failed: 0 });
    server.redeliver();
    await settle();
    for (const { id } of events(1, 3)) expect(value(id)).toBe("1");
    expect((await consumer.parked.list()).items).toEqual([]);
    expect((await other.parked.list()).items).toHaveLength(3);
    await stop();
  });

  it("is discarded with a reason, and never handled", async () => {
    const { consumer, mend, value, server, settle, logged, stop } = await parkedOne();
    mend();
    await expect(consumer.parked.discard("event-1", " ")).rejects.toThrow("expected a reason");
    expect(await consumer.parked.discard("event-1", "a test order")).toBe(true);
    expect(await consumer.parked.discard("event-1", "a test order")).toBe(false);
    expect(logged).toContainEqual(
      expect.objectContaining({ facts: expect.objectContaining({ reason: "a test order" }) }),
    );
    server.redeliver();
    await settle();
    expect(value("event-1")).toBeUndefined();
    await stop();
  });
});

describe("a consumer", () => {
  it("joins its group when the broker answers at last", async () => {
    const bench = await consumerBench();
    bench.server.isDown = true;
    const calls = vi.fn();
    const consumer = await bench.start({ handle: calls });
    expect(consumer.isSubscribed).toBe(false);
    await expect(consumer.lag()).rejects.toThrow(expect.objectContaining({ code: "broker-unavailable" }));
    await bench.pass(60_000, 1_000);
    bench.server.up();
    await bench.pass(5_000);
    expect(consumer.isSubscribed).toBe(true);
    await bench.publish();
    expect(calls).toHaveBeenCalledTimes(1);
    await bench.stop();
  });

  it("stops while it is still trying", async () => {
    const bench = await consumerBench();
    bench.server.isDown = true;
    await bench.start({ handle: () => {} });
    await bench.pass(1_000);
    await bench.stop();
  });

  it("wants one handler, and bounds that are numbers", async () => {
    const bench = await consumerBench();
    for (const [wrong, message] of [
      [{}, /either handle or handleWithin, got none/],
      [{ handle: () => {}, handleWithin: () => {} }, /got both/],
      [{ handle: () => {}, attempts: 0 }, /attempts/],
      [{ handle: () => {}, timeoutMs: Number.NaN }, /timeoutMs/],
    ] as const)
      await expect(bench.start(wrong)).rejects.toThrow(message);
  });
});
