import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BusinessRefusal } from "../errors.js";
import type { LedgerEntry } from "../participants/ledger.js";
import { localParticipant } from "../participants/local.js";
import { simulatedParticipant } from "../participants/simulated.js";
import type { StepCall } from "../saga/definition.js";
import { createMemoryLedger } from "../stores/memory/index.js";
import { batch } from "./batch.js";
import { BatchBench, numbers } from "./batch-bench.test.support.js";

let bench: BatchBench;
beforeEach(async () => {
  bench = await BatchBench.create();
});
afterEach(() => bench.close());

describe("a batch", () => {
  it("works each item of its source once, and ends with what became of them", async () => {
    const done: string[] = [];
    const manager = await bench.open([
      batch("count", {
        source: { items: numbers(250) },
        ...{ chunkSize: 10, concurrency: 4 },
        each: ({ key }) => void done.push(key),
      }),
    ]);
    const id = await bench.start(manager, "count");
    const run = await bench.reached(manager, id, "completed");
    expect(run).toMatchObject({ type: "batch", output: { items: 250, done: 250, failed: 0, skipped: 0 } });
    expect(run.items).toEqual({ done: 250, failed: 0, skipped: 0, total: 250, rate: null, leftMs: null });
    expect([...done].sort()).toEqual(numbers(250).map(String).sort());
    expect(await manager.metrics()).toMatchObject({ batchItemsDone: 250, batchItemsFailed: 0 });
    expect(manager.definitions()).toMatchObject([{ name: "count", type: "batch", available: true }]);
  });

  it("ends at once when its source is empty", async () => {
    const manager = await bench.open([batch("nothing", { source: { items: [] }, each: () => {} })]);
    const run = await bench.reached(manager, await bench.start(manager, "nothing"), "completed");
    expect(run.output).toEqual({ items: 0, done: 0, failed: 0, skipped: 0 });
  });

  it("works no more chunks at once than its concurrency says, and the items of a chunk one after the other", async () => {
    let [underWay, most] = [0, 0];
    const manager = await bench.open([
      batch("slow", {
        source: { items: numbers(40) },
        ...{ chunkSize: 5, concurrency: 3 },
        each: async () => {
          underWay += 1;
          most = Math.max(most, underWay);
          await bench.saga.later(10);
          underWay -= 1;
        },
      }),
    ]);
    await bench.reached(manager, await bench.start(manager, "slow"), "completed");
    expect(most).toBe(3);
  });

  it("tries an item that fails again, after those behind it and under the same key", async () => {
    const calls: string[] = [];
    const manager = await bench.open([
      batch("flaky", {
        source: { items: numbers(3) },
        each: ({ key, attempt, idempotencyKey }) => {
          calls.push(`${key}.${attempt} ${idempotencyKey.split(":").slice(1).join(":")}`);
          if (key === "0" && attempt < 3) throw new Error("not yet");
        },
      }),
    ]);
    await bench.reached(manager, await bench.start(manager, "flaky"), "completed");
    expect(calls).toEqual([
      "0.1 items[0]/each",
      "1.1 items[1]/each",
      "2.1 items[2]/each",
      "0.2 items[0]/each",
      "0.3 items[0]/each",
    ]);
  });

  it("fails an item at once when it is refused, and one that hangs when its time is up", async () => {
    const signals: AbortSignal[] = [];
    const manager = await bench.open([
      batch("mixed", {
        source: { items: numbers(3) },
        ...{ maxFailures: 2, itemTimeout: "2s", retry: { maxAttempts: 2 } },
        each: ({ key, signal }) => {
          if (key === "0") throw new BusinessRefusal("never", "no-thanks");
          if (key !== "1") return undefined;
          signals.push(signal);
          return new Promise(() => {});
        },
      }),
    ]);
    const id = await bench.start(manager, "mixed");
    const run = await bench.reached(manager, id, "completed");
    expect(run.output).toEqual({ items: 3, done: 1, failed: 2, skipped: 0 });
    const { items } = await manager.failedItems(id, {});
    expect(items).toMatchObject([
      { key: "0", item: 0, attempts: 1, error: { code: "no-thanks", message: "never" } },
      { key: "1", item: 1, attempts: 2, error: { code: "timeout" } },
    ]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  it("lets items begin no faster than its rate", async () => {
    const at: number[] = [];
    const manager = await bench.open([
      batch("paced", {
        source: { items: numbers(30) },
        ...{ chunkSize: 5, concurrency: 4, rateLimit: { max: 10, window: "1s" } },
        each: () => void at.push(bench.saga.clock.monotonic()),
      }),
    ]);
    await bench.reached(manager, await bench.start(manager, "paced"), "completed");
    for (const [index, time] of at.entries()) {
      const withinSecond = at.slice(index).filter((other) => other - time < 1_000).length;
      // A burst of one chunk is allowed.
      expect(withinSecond).toBeLessThanOrEqual(15);
    }
    expect((at.at(-1) ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(2_000);
  });

  it("spreads the items of a chunk over the time that its rate gives them", async () => {
    const at: number[] = [];
    const manager = await bench.open([
      batch("spread", {
        source: { items: numbers(5) },
        ...{ chunkSize: 5, rateLimit: { max: 10, window: "1s" } },
        each: () => void at.push(bench.saga.clock.monotonic()),
      }),
    ]);
    await bench.reached(manager, await bench.start(manager, "spread"), "completed");
    const gaps = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    expect(gaps).toHaveLength(4);
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(100);
  });

  it("tells how far it is, how fast, and how long it will take", async () => {
    const manager = await bench.open([
      batch("long", { source: { items: numbers(100) }, chunkSize: 1, each: () => bench.saga.later(1_000) }),
    ]);
    const id = await bench.start(manager, "long");
    await bench.saga.pass(60_500);
    const { items } = await manager.get(id);
    expect(items).toMatchObject({ failed: 0, total: 100 });
    expect(items?.done).toBeGreaterThan(50);
    expect(items?.rate).toBeCloseTo(1, 1);
    expect(items?.leftMs).toBeGreaterThan(30_000);
    await bench.reached(manager, id, "completed");
  });
});

describe("a batch of stages", () => {
  const calls: StepCall[] = [];
  beforeEach(() => void calls.splice(0));

  it("calls the services for each item in order, with what the stages before it gave", async () => {
    const shop = localParticipant({
      name: "shop",
      handlers: {
        "/price": (call) => {
          calls.push(call);
          return { price: Number(call.item) * 2 };
        },
        "/charge": (call) => {
          calls.push(call);
          return {};
        },
      },
    });
    const manager = await bench.open(
      [
        batch("settle", {
          source: { items: [1, 2, 3] },
          stages: [
            { name: "price", service: "shop", endpoint: "/price" },
            {
              name: "charge",
              service: "shop",
              endpoint: "/charge",
              when: "item != 2",
              input: { amount: "${ outputs.price.price }" },
            },
          ],
        }),
      ],
      { participants: { shop } },
    );
    const id = await bench.start(manager, "settle", { by: "night" });
    await bench.reached(manager, id, "completed");
    expect(calls.map(({ stage }) => stage)).toEqual([
      "items[0]/price",
      "items[0]/charge",
      "items[1]/price",
      "items[2]/price",
      "items[2]/charge",
    ]);
    expect(calls[0]).toMatchObject({ runId: id, input: { by: "night" }, item: 1, key: "0", isMapped: false });
    expect(calls[1]).toMatchObject({ input: { amount: 2 }, isMapped: true, idempotencyKey: `${id}:items[0]/charge` });
  });

  it("counts an item of which no stage was wanted as skipped", async () => {
    const shop = localParticipant({ name: "shop", handlers: { "/a": () => null } });
    const stages = [{ name: "a", service: "shop", endpoint: "/a", when: "item > 2" }] as const;
    const manager = await bench.open([batch("some", { source: { items: [1, 2, 3] }, stages })], {
      participants: { shop },
    });
    const run = await bench.reached(manager, await bench.start(manager, "some"), "completed");
    expect(run.output).toEqual({ items: 3, done: 1, failed: 0, skipped: 2 });
  });

  it("undoes the stages before one that fails for good, and tries the item again under other keys", async () => {
    const ledger = createMemoryLedger();
    const participants = { bank: simulatedParticipant({ name: "bank", ledger, clock: bench.saga.clock }) };
    const manager = await bench.open(
      [
        batch("pay", {
          source: ({ input }) => ({ items: (input as { items: number[] }).items }),
          stages: [
            {
              name: "reserve",
              service: "bank",
              endpoint: "/reserve",
              compensate: { service: "bank", endpoint: "/release" },
            },
            { name: "pay", service: "bank", endpoint: "/pay" },
          ],
        }),
      ],
      { participants },
    );
    // It answers 422 once; then it succeeds.
    const id = await bench.start(manager, "pay", { items: [7], simulate: { pay: { status: 422, fail_times: 1 } } });
    const run = await bench.reached(manager, id, "stuck");
    expect(run.error).toMatchObject({ code: "too-many-failures" });
    await bench.act(manager, id, "retry");
    await bench.reached(manager, id, "completed");
    const { items } = await ledger.list({ limit: 10 });
    const acts = items.map(({ kind, key }: LedgerEntry) => `${kind} ${key.slice(id.length + 1)}`);
    expect(acts.sort()).toEqual([
      "compensate items[0]/reserve:compensate",
      "forward items[0]/pay",
      "forward items[0]/reserve",
      "forward items[0]/reserve:r2",
    ]);
  });

  it("says so when what was done of an item cannot be undone", async () => {
    const bank = localParticipant({
      name: "bank",
      handlers: {
        "/reserve": () => null,
        "/pay": () => {
          throw new BusinessRefusal("no funds", "declined");
        },
      },
      compensations: {
        "/release": () => {
          throw new BusinessRefusal("it is gone");
        },
      },
    });
    const manager = await bench.open(
      [
        batch("pay", {
          source: { items: [1] },
          maxFailures: 1,
          stages: [
            {
              name: "reserve",
              service: "bank",
              endpoint: "/reserve",
              compensate: { service: "bank", endpoint: "/release" },
            },
            { name: "pay", service: "bank", endpoint: "/pay" },
          ],
        }),
      ],
      { participants: { bank } },
    );
    const id = await bench.start(manager, "pay");
    await bench.reached(manager, id, "completed");
    const [failed] = (await manager.failedItems(id, {})).items;
    expect(failed?.error).toMatchObject({
      code: "compensation-failed",
      message: expect.stringMatching(/it is gone.*no funds/),
    });
  });
});

describe("a batch with a handler for chunks", () => {
  it("is handed all items of a chunk, names those that fail, and is called again when it throws", async () => {
    const calls: string[] = [];
    const manager = await bench.open([
      batch("chunks", {
        source: { items: numbers(4) },
        ...{ chunkSize: 2, maxFailures: null },
        chunk: ({ items, attempt, fail }) => {
          calls.push(`${items.map(({ key }) => key).join("+")}.${attempt}`);
          if (items[0]?.key === "0" && attempt === 1) throw new Error("once");
          if (items[0]?.key === "2") fail("3", new BusinessRefusal("not this one", "odd"));
        },
      }),
    ]);
    const id = await bench.start(manager, "chunks");
    const run = await bench.reached(manager, id, "completed");
    expect(run.output).toEqual({ items: 4, done: 3, failed: 1, skipped: 0 });
    expect(calls).toEqual(["0+1.1", "0+1.2", "2+3.1"]);
    expect((await manager.failedItems(id, {})).items).toMatchObject([{ key: "3", error: { code: "odd" } }]);
  });

  it("fails all items of a chunk that is refused", async () => {
    const manager = await bench.open([
      batch("refused", {
        source: { items: numbers(3) },
        maxFailures: null,
        chunk: () => {
          throw new BusinessRefusal("none of it");
        },
      }),
    ]);
    const run = await bench.reached(manager, await bench.start(manager, "refused"), "completed");
    expect(run.output).toEqual({ items: 3, done: 0, failed: 3, skipped: 0 });
  });

  it("settles a chunk in the handler's own transaction", async () => {
    const { world } = bench.saga;
    const manager = await bench.open([
      batch("transacted", {
        source: { items: numbers(6) },
        ...{ chunkSize: 2, concurrency: 2, maxFailures: 1 },
        chunk: async ({ items, transaction, fail }) => {
          if (items[0]?.key === "4") fail("5", { code: "odd", message: "five" });
          await transaction((client: { set(key: string, value: unknown): void }) => {
            for (const { key } of items) client.set(key, true);
          });
        },
      }),
    ]);
    const run = await bench.reached(manager, await bench.start(manager, "transacted"), "completed");
    expect(run.output).toEqual({ items: 6, done: 5, failed: 1, skipped: 0 });
    expect([...world.values.keys()]).toEqual(["0", "1", "2", "3", "4", "5"]);
  });

  it("rolls back what a handler did that throws in its transaction", async () => {
    const { world } = bench.saga;
    const manager = await bench.open([
      batch("transacted", {
        source: { items: numbers(2) },
        maxFailures: null,
        chunk: ({ transaction, attempt }) =>
          transaction((client: { set(key: string, value: unknown): void }) => {
            client.set(`attempt ${attempt}`, true);
            if (attempt === 1) throw new Error("once");
          }),
      }),
    ]);
    await bench.reached(manager, await bench.start(manager, "transacted"), "completed");
    expect([...world.values.keys()]).toEqual(["attempt 2"]);
  });
});
