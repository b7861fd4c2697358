import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BusinessRefusal } from "../errors.js";
import { SagaBench, STORE_KINDS } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";
import type { SagaManager } from "./manager.js";
import type { QueueOptions } from "./queue.js";

describe.each(STORE_KINDS)("a saga manager over %s, with queues", (kind) => {
  let bench: SagaBench;
  let running: Set<string>;
  let most: number;
  let begun: string[];
  beforeEach(async () => {
    bench = await SagaBench.create(kind);
    running = new Set();
    most = 0;
    begun = [];
  });
  afterEach(() => bench.close());

  /** Takes a second; notes who runs at once. */
  const working = (name: string, queue: QueueOptions, ms = 1_000) =>
    saga(name, { queue })
      .step("work", {
        run: async ({ runId, runInput }) => {
          running.add(runId);
          most = Math.max(most, running.size);
          begun.push(String((runInput as { n?: number }).n));
          await bench.later(ms);
          running.delete(runId);
        },
      })
      .build();

  /** A millisecond apart: by their ids the older one is known. */
  async function startAll(manager: SagaManager, name: string, count: number, options = {}): Promise<string[]> {
    const ids: string[] = [];
    for (let n = 0; n < count; n++) {
      ids.push((await bench.until(manager.start(name, { n }, options))).id);
      await bench.pass(1);
    }
    return ids;
  }
  const ended = (manager: SagaManager, ids: readonly string[]) =>
    Promise.all(ids.map((id) => bench.until(manager.wait(id, 3_600_000))));

  it("begins as many at once as the queue says, and the next one as soon as one ends", async () => {
    const manager = await bench.open([working("s", { concurrency: 3 })], {}, { pollMs: 60_000 });
    const before = bench.clock.now();
    const ids = await startAll(manager, "s", 9);
    const runs = await ended(manager, ids);
    expect(runs.map(({ status }) => status)).toEqual(new Array(9).fill("completed"));
    expect(most).toBe(3);
    // Not at the next poll: three after three, a second each.
    expect(bench.clock.now() - before).toBeLessThan(4_000);
  });

  it("begins the highest priority first, and keeps the order of the others", async () => {
    const manager = await bench.open([working("s", { concurrency: 1, priority: 1 })]);
    const [blocker] = await startAll(manager, "s", 1, { priority: 9 });
    while (running.size === 0) await bench.pass(10);
    const low = await bench.until(manager.start("s", { n: "low" }, { priority: 0 }));
    const ids = await startAll(manager, "s", 3);
    const high = await bench.until(manager.start("s", { n: "high" }, { priority: 5 }));
    await ended(manager, [blocker ?? "", low.id, ...ids, high.id]);
    expect(begun).toEqual(["0", "high", "0", "1", "2", "low"]);
  });

  it("shares a queue by key, and lets others pass a key that is full", async () => {
    const key = (input: unknown) => (input as { of: string }).of;
    const manager = await bench.open([working("s", { concurrency: 2, concurrencyPerKey: 1, key })]);
    const start = (of: string, n: string, options = {}) => bench.until(manager.start("s", { of, n }, options));
    const runs = [await start("a", "a1"), await start("a", "a2"), await start("a", "a3"), await start("b", "b1")];
    runs.push(await start("a", "c1", { queueKey: "c" }));
    await ended(
      manager,
      runs.map(({ id }) => id),
    );
    expect(begun.slice(0, 2)).toEqual(["a1", "b1"]);
    expect(most).toBe(2);
    await expect(start("", "x")).rejects.toMatchObject({ code: "input-invalid" });
  });

  it("begins no more in a window than the rate says, and the next ones as soon as it lets them", async () => {
    const rated = working("s", { rateLimit: { max: 2, window: "10s" } }, 1);
    const manager = await bench.open([rated], {}, { pollMs: 60_000 });
    const before = bench.clock.now();
    await ended(manager, await startAll(manager, "s", 6));
    expect(bench.clock.now() - before).toBeGreaterThanOrEqual(20_000);
    expect(bench.clock.now() - before).toBeLessThan(22_000);
  });

  const refuse = (): never => {
    throw new BusinessRefusal("no");
  };

  it("keeps a place for a run that sleeps, and gives that of a stuck one to the next", async () => {
    const sleeper = saga("sleeper", { queue: { name: "q", concurrency: 1 } })
      .sleep("rest", { for: "60s" })
      .build();
    const stuck = saga("stuck", { queue: { name: "q" } })
      .step("a", { run: () => ({}), compensate: refuse })
      .step("b", { run: refuse })
      .build();
    const manager = await bench.open([sleeper, stuck, working("s", { name: "q" })], {}, { pollMs: 60_000 });
    const { id: asleep } = await bench.until(manager.start("sleeper", {}));
    const { id: failing } = await bench.until(manager.start("stuck", {}));
    const { id: last } = await bench.until(manager.start("s", {}));
    await bench.pass(50_000);
    expect(await manager.get(failing)).toMatchObject({ status: "pending", queue: "q" });
    expect(await manager.queues()).toMatchObject([{ queue: "q", waiting: 2, running: 1, nextStartAt: null }]);
    await ended(manager, [asleep]);
    await bench.toStatus(manager, failing, "stuck");
    await ended(manager, [last]);
    expect(await manager.queues()).toMatchObject([{ queue: "q", concurrency: 1, waiting: 0, running: 0 }]);
  });

  it("runs children in the place of their parent, so that it never waits for itself", async () => {
    const parent = saga("parent", { queue: { name: "q", concurrency: 1 } })
      .child("child", { saga: "s" })
      .build();
    const manager = await bench.open([parent, working("s", { name: "q" })]);
    const ids = [...(await startAll(manager, "parent", 2)), ...(await startAll(manager, "s", 1))];
    const runs = await ended(manager, ids);
    expect(runs.map(({ status }) => status)).toEqual(["completed", "completed", "completed"]);
    expect(most).toBe(1);
  });

  it("cancels a run that waits for its place", async () => {
    const manager = await bench.open([working("s", { concurrency: 1 }, 60_000)]);
    const [, waits] = await startAll(manager, "s", 2);
    await bench.until(manager.act(waits ?? "", "cancel", { reason: "no more", actor: "me" }));
    expect(await bench.until(manager.wait(waits ?? "", 30_000))).toMatchObject({ status: "cancelled" });
    expect(begun).toEqual(["0"]);
  });

  it("counts a run's time from when it began, and the time in which it must from when it was due", async () => {
    const timed = (name: string, times: object) =>
      saga(name, { ...times, queue: { name: "q" } })
        .step("a", { run: () => bench.later(5_000) })
        .build();
    const first = working("s", { name: "q", concurrency: 1 }, 60_000);
    const manager = await bench.open([
      first,
      timed("quick", { timeout: "10s" }),
      timed("soon", { startTimeout: "10s" }),
    ]);
    const [blocker] = await startAll(manager, "s", 1);
    const { id: quick } = await bench.until(manager.start("quick", {}));
    const { id: soon } = await bench.until(manager.start("soon", {}));
    await ended(manager, [blocker ?? "", quick, soon]);
    expect(await manager.get(quick)).toMatchObject({ status: "completed" });
    expect(await manager.get(soon)).toMatchObject({ status: "failed", error: { code: "start-timeout" } });
  });

  it("tells how its queues stand, in the metrics too, and lists the runs of one", async () => {
    const manager = await bench.open([working("s", { concurrency: 1 }), working("free", {})]);
    await startAll(manager, "free", 1);
    const ids = await startAll(manager, "s", 3);
    const state = { queue: "s", concurrency: 1, concurrencyPerKey: null, rateLimit: null, waiting: 2, running: 1 };
    expect(await manager.queues()).toEqual([{ ...state, delayed: 0, nextStartAt: null }]);
    expect((await manager.metrics()).queues).toEqual(await manager.queues());
    const { items } = await manager.list({ queue: "s" });
    expect(items.map(({ id }) => id).sort()).toEqual([...ids].sort());
    await ended(manager, ids);
  });
});
