import { expect, it } from "vitest";
import { RuntimeError } from "../errors.js";
import { silentLogger } from "../log.js";
import { SeededRandom } from "../simulation/seeded-random.js";
import { passTimeUntil } from "../simulation/virtual-time.js";
import { createManualClock } from "../testing/manual-clock.js";
import { CoalescingQueue } from "./coalescing-queue.js";

function queueOn(bounds: { readonly maxBatch?: number; readonly maxQueued?: number } = {}) {
  const clock = createManualClock();
  const store = { isFull: false, sent: [] as (readonly number[])[] };
  const queue = new CoalescingQueue<number, string>({
    ...{ name: "rows", logger: silentLogger, ports: { clock, random: new SeededRandom(1) }, ...bounds },
    send: async (items) => {
      store.sent.push(items);
      if (store.isFull) throw new RuntimeError("store-unavailable", "no space left");
      return items.map((item) => `${item} is written`);
    },
  });
  return { queue, store, clock, until: <T>(promise: Promise<T>): Promise<T> => passTimeUntil(clock, promise) };
}

it("sends what one turn brings together, and no more than a batch at once", async () => {
  const { queue, store, until } = queueOn({ maxBatch: 3 });
  const results = await until(Promise.all([1, 2, 3, 4].map((item) => queue.push(item))));
  expect(results).toEqual([1, 2, 3, 4].map((item) => `${item} is written`));
  expect(store.sent).toEqual([[1, 2, 3], [4]]);
});

it("keeps what a store without room does not take, says so from the second time on, and sends the same again", async () => {
  const { queue, store, clock, until } = queueOn();
  store.isFull = true;
  const written = queue.push(1);
  const untilSent = async (times: number): Promise<void> => {
    while (store.sent.length < times) {
      clock.advanceToNext();
      await new Promise(setImmediate);
    }
  };
  await untilSent(1);
  // A reply that is lost now and then is no outage.
  expect(queue.outage).toBeNull();
  await untilSent(2);
  expect(queue.outage).toBe("no space left");
  store.isFull = false;
  expect(await until(written)).toBe("1 is written");
  expect(store.sent).toEqual([[1], [1], [1]]);
  expect(queue.outage).toBeNull();
});

it("refuses more than it may hold, at once, and takes more when there is room again", async () => {
  const { queue, store, until } = queueOn({ maxQueued: 2 });
  const first = [queue.push(1), queue.push(2)];
  await expect(queue.push(3)).rejects.toMatchObject({ code: "overloaded" });
  await until(Promise.all(first));
  expect(await until(queue.push(4))).toBe("4 is written");
  expect(store.sent).toEqual([[1, 2], [4]]);
});

it("gives up what waits when it is closed, and takes nothing after", async () => {
  const { queue, store, until } = queueOn();
  store.isFull = true;
  const waiting = queue.push(1);
  queue.close();
  await expect(until(waiting)).rejects.toMatchObject({ code: "runtime-stopped" });
  await expect(queue.push(2)).rejects.toMatchObject({ code: "runtime-stopped" });
});
