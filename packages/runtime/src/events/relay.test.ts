import { expect, it } from "vitest";
import { RuntimeError } from "../errors.js";
import { event, eventBench, events, intercepted } from "./event-bench.test.support.js";

const HOUR_MS = 3_600_000;

it("sends what is in the outbox, in the order of each key, and tells how far it is", async () => {
  const bench = await eventBench();
  await bench.events.put([...events(1, 3), event(4, "order-2"), event(5)]);
  const relay = bench.relay();
  await relay.start();
  await bench.settle();
  expect(bench.server.ids.filter((id) => id !== "event-4")).toEqual(["event-1", "event-2", "event-3", "event-5"]);
  expect(bench.server.ids).toHaveLength(5);
  expect(relay.counts).toMatchObject({ published: 5, parked: 0, rewound: 0 });
  expect(await relay.lag()).toEqual({ waiting: 0, oldestAt: null });
  await relay.stop();
  expect(bench.clock.pending).toBe(0);
});

it("sends at once what is put while it runs: a hint wakes it, no time passes", async () => {
  const bench = await eventBench();
  const relay = bench.relay();
  await relay.start();
  await bench.pass(5_000);
  await bench.events.put([event(1)]);
  await bench.settle();
  expect(bench.server.ids).toEqual(["event-1"]);
  await relay.stop();
});

it("finds what no hint told of, within its poll", async () => {
  const bench = await eventBench();
  const { listen: _, ...deaf } = bench.events;
  const relay = bench.relay({ store: deaf });
  await relay.start();
  await bench.pass(5_500);
  await bench.events.put([event(1)]);
  await bench.settle();
  expect(bench.server.ids).toEqual([]);
  await bench.pass(1_000);
  expect(bench.server.ids).toEqual(["event-1"]);
  await relay.stop();
});

it("costs nothing but time when the broker is down for an hour, and says since when", async () => {
  const bench = await eventBench();
  bench.server.isDown = true;
  const relay = bench.relay();
  const beganAt = bench.clock.now();
  await relay.start();
  await bench.events.put(events(1, 20));
  await bench.pass(HOUR_MS, 1_000);
  expect(relay.outage).toMatchObject({ since: beganAt, reason: expect.stringContaining("the server is down") });
  expect(await relay.lag()).toMatchObject({ waiting: 20, oldestAt: beganAt });
  // Told once, not once a second.
  expect(bench.logged.filter(({ message }) => message.includes("broker does not answer"))).toHaveLength(1);
  bench.server.up();
  await bench.pass(5_000);
  expect(bench.server.ids).toEqual(events(1, 20).map(({ id }) => id));
  expect(relay.outage).toBeNull();
  await relay.stop();
});

it("sends a batch again whose answer was lost, and goes on from there", async () => {
  const bench = await eventBench();
  bench.server.lostReplies = 0.6;
  await bench.events.put(events(1, 30));
  const relay = bench.relay({ batch: { events: 4, bytes: 1_000_000 } });
  await relay.start();
  await bench.pass(60_000);
  expect(bench.server.ids).toEqual(events(1, 30).map(({ id }) => id));
  expect((await relay.lag()).waiting).toBe(0);
  await relay.stop();
});

it("sends again what the broker lost, from the newest place that it still has", async () => {
  const bench = await eventBench();
  const relay = bench.relay();
  await relay.start();
  for (let n = 1; n <= 20; n += 1) {
    await bench.events.put([event(n)]);
    await bench.pass(6_000, 500);
  }
  expect(bench.server.loseTail(5)).toHaveLength(5);
  const calls = bench.server.publishedAt.length;
  await bench.pass(10_000);
  expect(bench.server.ids).toEqual(events(1, 20).map(({ id }) => id));
  expect(relay.counts.rewound).toBe(1);
  // Those that were there were not all sent again.
  expect(relay.counts.published).toBeLessThan(20 + 12);
  expect(bench.server.publishedAt.length).toBe(calls + 1);
  await relay.stop();
});

it("sends an event at once when it comes alone, and together what comes right after it", async () => {
  const bench = await eventBench();
  const relay = bench.relay();
  await relay.start();
  await bench.settle();
  await bench.events.put([event(1)]);
  await bench.settle();
  expect(bench.server.ids).toEqual(["event-1"]);
  const calls = bench.server.publishedAt.length;
  for (const n of [2, 3, 4]) {
    await bench.events.put([event(n)]);
    await bench.settle();
  }
  expect(bench.server.ids).toEqual(["event-1"]);
  await bench.pass(10, 10);
  expect(bench.server.ids).toEqual(["event-1", "event-2", "event-3", "event-4"]);
  expect(bench.server.publishedAt.length).toBe(calls + 1);
  await relay.stop();
});

it("sends again what a broker lost in an instant, though it has taken more since", async () => {
  const bench = await eventBench();
  const relay = bench.relay();
  await relay.start();
  await bench.events.put([event(1)]);
  await bench.settle();
  bench.server.stream = [];
  bench.server.remembered.clear();
  await bench.events.put([event(2)]);
  await bench.pass(10, 10);
  expect(bench.server.ids).toEqual(["event-2"]);
  await bench.pass(12_000, 1_000);
  expect(bench.server.ids).toEqual(["event-2", "event-1"]);
  expect(relay.counts.rewound).toBe(1);
  await bench.pass(60_000, 1_000);
  expect(relay.counts.rewound).toBe(1);
  await relay.stop();
});

it("sends everything kept when the broker has nothing any more, before what is new", async () => {
  const bench = await eventBench();
  const first = bench.relay();
  await bench.events.put(events(1, 10));
  await first.start();
  await bench.settle();
  await first.stop();
  bench.server.loseTail(10);
  await bench.events.put(events(11, 12));
  const second = bench.relay();
  await second.start();
  await bench.settle();
  expect(bench.server.ids).toEqual(events(1, 12).map(({ id }) => id));
  await second.stop();
});

it("does not send again what is older than the replay window, as its handlers may have forgotten it", async () => {
  const bench = await eventBench();
  // Another group holds the outbox up, so that old events stay.
  await bench.events.lease("slow", "nobody", 1_000);
  const relay = bench.relay({ retention: { replayMs: HOUR_MS } });
  await relay.start();
  await bench.events.put(events(1, 3));
  await bench.pass(2 * HOUR_MS, 1_000);
  await bench.events.put(events(4, 5));
  await bench.settle();
  bench.server.loseTail(5);
  await bench.pass(11_000);
  expect(bench.server.ids).toEqual(["event-4", "event-5"]);
  await relay.stop();
});

it("sends what was never sent, however old it is", async () => {
  const bench = await eventBench();
  const relay = bench.relay({ retention: { replayMs: HOUR_MS } });
  await relay.start();
  await bench.events.put([event(1)]);
  await bench.settle();
  bench.server.isDown = true;
  await bench.events.put([event(2)]);
  await bench.pass(3 * HOUR_MS, 1_000);
  bench.server.loseTail(1);
  bench.server.up();
  await bench.pass(6_000);
  expect(bench.server.ids).toEqual(["event-2"]);
  await relay.stop();
});

it("parks an event that the broker never takes, and passes it by", async () => {
  const bench = await eventBench();
  bench.server.refused.add("shop.order.odd");
  await bench.events.put([event(1), event(2, "order-1", "shop.order.odd"), event(3)]);
  const relay = bench.relay();
  await relay.start();
  await bench.settle();
  expect(bench.server.ids).toEqual(["event-1", "event-3"]);
  const { items } = await relay.parked.list();
  expect(items).toMatchObject([{ group: "relay:faulty", event: { id: "event-2" }, error: { code: "rejected" } }]);
  await expect(relay.parked.redrive("event-2")).rejects.toThrow("no such subject");
  bench.server.refused.clear();
  expect(await relay.parked.redriveAll()).toEqual({ redriven: 1, failed: 0 });
  expect(bench.server.ids).toEqual(["event-1", "event-3", "event-2"]);
  expect((await relay.parked.list()).items).toEqual([]);
  await relay.stop();
});

it("shares the shards with another one, which takes over all of them when this one is gone", async () => {
  const bench = await eventBench();
  const [first, second] = [bench.relay(), bench.relay()];
  await first.start();
  await second.start();
  await bench.pass(10_000);
  const orders = Array.from({ length: 40 }, (_, n) => event(n, `order-${n}`));
  await bench.events.put(orders);
  await bench.settle();
  expect([first.counts.published > 5, second.counts.published > 5]).toEqual([true, true]);
  await first.stop();
  await bench.events.put(Array.from({ length: 40 }, (_, n) => event(100 + n, `order-${n}`)));
  await bench.pass(5_000);
  expect(new Set(bench.server.ids).size).toBe(80);
  await second.stop();
});

it("sends nothing while its lease is not to be trusted", async () => {
  const bench = await eventBench();
  let isDown = false;
  const store = intercepted(bench.events, {
    lease: async (...args) => {
      if (isDown) throw new RuntimeError("store-unavailable", "no way to the database");
      return bench.events.lease(...args);
    },
  });
  const relay = bench.relay({ store, leaseMs: 10_000 });
  await relay.start();
  await bench.pass(1_000);
  isDown = true;
  await bench.pass(9_000);
  await bench.events.put([event(1)]);
  await bench.pass(2_000);
  expect(bench.server.ids).toEqual([]);
  isDown = false;
  await bench.pass(500);
  expect(bench.server.ids).toEqual(["event-1"]);
  await relay.stop();
});

it("stops within its grace when the broker does not answer, and leaves its shards to others", async () => {
  const bench = await eventBench();
  const broker = bench.server.connect();
  const relay = bench.relay({ broker });
  await relay.start();
  await bench.settle();
  broker.isDead = true;
  await bench.events.put([event(1)]);
  await bench.settle();
  const stopped = relay.stop(2_000);
  await bench.pass(2_000);
  await stopped;
  const other = bench.relay();
  await other.start();
  await bench.settle();
  expect(bench.server.ids).toEqual(["event-1"]);
  await other.stop();
});

it("deletes what left long ago, and keeps what a group still needs", async () => {
  const bench = await eventBench();
  const relay = bench.relay({ retention: { replayMs: HOUR_MS, brokerMaxAgeMs: HOUR_MS, handledMs: 3 * HOUR_MS } });
  await relay.start();
  await bench.events.put(events(1, 3));
  await bench.pass(HOUR_MS / 2, 1_000);
  const countKept = async () => {
    let kept = 0;
    for (let shard = 0; shard < 16; shard += 1) kept += (await bench.events.read(shard, null, 100)).length;
    return kept;
  };
  expect(await countKept()).toBe(3);
  await bench.pass(HOUR_MS, 1_000);
  expect(await countKept()).toBe(0);
  await bench.events.lease("slow", "nobody", 1_000);
  await bench.events.put(events(4, 5));
  await bench.pass(2 * HOUR_MS, 1_000);
  expect(await countKept()).toBe(2);
  await relay.stop();
});

it("refuses to forget ids before their events can no longer come again", async () => {
  const bench = await eventBench();
  expect(() => bench.relay({ retention: { handledMs: 96 * HOUR_MS } })).toThrow(/expected handledMs above/);
  expect(() => bench.relay({ retention: { replayMs: 0 } })).toThrow(/expected replayMs/);
});
