import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SagaDefinition } from "../saga/definition.js";
import type { SagaManager } from "../saga/manager.js";
import { batch } from "./batch.js";
import { BatchBench, gate, numbers } from "./batch-bench.test.support.js";

let bench: BatchBench;
beforeEach(async () => {
  bench = await BatchBench.create();
});
afterEach(() => bench.close());

/** A second for each item, one chunk of five at a time. */
function slow(done: string[], more: Partial<Parameters<typeof batch>[1]> = {}): SagaDefinition {
  return batch("slow", {
    source: { items: numbers(20) },
    chunkSize: 5,
    each: async ({ key }) => {
      await bench.saga.later(1_000);
      done.push(key);
    },
    timeout: "1h",
    ...more,
  } as Parameters<typeof batch>[1]);
}

/** Fails for the keys that are `bad`, as long as they are. */
function picky(bad: Set<string>, more: object = {}): SagaDefinition {
  return batch("picky", {
    source: { items: numbers(10) },
    ...{ chunkSize: 2, retry: { maxAttempts: 1 } },
    each: ({ key }) => {
      if (bad.has(key)) throw new Error(`no ${key}`);
    },
    ...more,
  } as Parameters<typeof batch>[1]);
}

async function underWay(manager: SagaManager, done: string[], name = "slow"): Promise<string> {
  const id = await bench.start(manager, name);
  while (done.length < 7) await bench.saga.pass(100);
  return id;
}

describe("an operator of a batch", () => {
  it("pauses it between chunks, and resumes it where it was", async () => {
    const done: string[] = [];
    const manager = await bench.open([slow(done)]);
    const id = await underWay(manager, done);
    await bench.act(manager, id, "pause");
    await bench.saga.pass(60_000);
    // The chunk under way came to its end.
    expect(done).toHaveLength(10);
    expect(await manager.get(id)).toMatchObject({ status: "paused", items: { done: 10 } });
    await bench.act(manager, id, "resume");
    const run = await bench.reached(manager, id, "completed");
    expect(run.output).toEqual({ items: 20, done: 20, failed: 0, skipped: 0 });
    expect(new Set(done).size).toBe(done.length);
  });

  it("cancels it between chunks: what was done stays done", async () => {
    const done: string[] = [];
    const manager = await bench.open([slow(done)]);
    const id = await underWay(manager, done);
    await bench.act(manager, id, "cancel");
    const run = await bench.reached(manager, id, "cancelled");
    expect(done).toHaveLength(10);
    expect(run).toMatchObject({ items: { done: 10, failed: 0 }, error: { code: "cancelled" } });
    await bench.saga.pass(60_000);
    expect(done).toHaveLength(10);
  });

  it("cancels one that is paused", async () => {
    const done: string[] = [];
    const manager = await bench.open([slow(done)]);
    const id = await underWay(manager, done);
    await bench.act(manager, id, "pause");
    await bench.saga.pass(10_000);
    await bench.act(manager, id, "cancel");
    await bench.reached(manager, id, "cancelled");
  });

  it("finds it stuck once more items failed than may, and resumes it with a new budget", async () => {
    const bad = new Set(["1", "3", "5"]);
    const manager = await bench.open([picky(bad, { maxFailures: 1 })]);
    const id = await bench.start(manager, "picky");
    const stuck = await bench.reached(manager, id, "stuck");
    expect(stuck.error).toMatchObject({ code: "too-many-failures" });
    expect(stuck.items).toMatchObject({ failed: 2 });
    await bench.act(manager, id, "resume");
    const run = await bench.reached(manager, id, "completed");
    expect(run.output).toEqual({ items: 10, done: 7, failed: 3, skipped: 0 });
  });

  it("retries it: what failed is tried again, too", async () => {
    const bad = new Set(["1", "3"]);
    const manager = await bench.open([picky(bad, { maxFailures: 1 })]);
    const id = await bench.start(manager, "picky");
    await bench.reached(manager, id, "stuck");
    bad.clear();
    await bench.act(manager, id, "retry");
    const run = await bench.reached(manager, id, "completed");
    expect(run.output).toEqual({ items: 10, done: 10, failed: 0, skipped: 0 });
    expect((await manager.failedItems(id, {})).items).toEqual([]);
  });

  it("finds it stuck again, round after round, and each is told", async () => {
    const bad = new Set(["0"]);
    const manager = await bench.open([picky(bad)]);
    const id = await bench.start(manager, "picky");
    for (let round = 1; round <= 3; round++) {
      await bench.reached(manager, id, "stuck");
      await bench.act(manager, id, "retry");
      await bench.saga.pass(5_000);
    }
    bad.clear();
    await bench.reached(manager, id, "stuck");
    await bench.act(manager, id, "retry");
    await bench.reached(manager, id, "completed");
  });

  it("abandons it: it ends as it is, and nothing more is done", async () => {
    const bad = new Set(["3"]);
    const manager = await bench.open([picky(bad)]);
    const id = await bench.start(manager, "picky");
    await bench.reached(manager, id, "stuck");
    await bench.act(manager, id, "abandon");
    const run = await bench.reached(manager, id, "failed");
    const { items } = run;
    await bench.saga.pass(30_000);
    expect((await manager.get(id)).items).toEqual(items);
  });

  it("abandons it while chunks of it are under way: it ends once these have, and nothing more is begun", async () => {
    const [slowly, entered] = [gate(), gate()];
    const begun: string[] = [];
    const manager = await bench.open([
      picky(new Set(["0"]), {
        ...{ chunkSize: 1, concurrency: 2 },
        each: async ({ key }: { key: string }) => {
          begun.push(key);
          if (key === "1") entered.open();
          await (key === "0" ? entered.passed : slowly.passed);
          if (key === "0") throw new Error("no");
        },
      }),
    ]);
    const id = await bench.start(manager, "picky");
    await bench.reached(manager, id, "stuck");
    await bench.act(manager, id, "abandon");
    await bench.saga.pass(20_000);
    expect(await manager.get(id)).toMatchObject({ status: "compensating", error: { code: "abandoned" } });
    slowly.open();
    const run = await bench.reached(manager, id, "failed");
    expect(run).toMatchObject({ error: { code: "abandoned" }, items: { done: 1, failed: 1 } });
    expect(begun).toEqual(["0", "1"]);
  });

  it("may not name the step that it is to be retried from", async () => {
    const manager = await bench.open([picky(new Set(["0"]))]);
    const id = await bench.start(manager, "picky");
    await bench.reached(manager, id, "stuck");
    const request = { reason: "from the start", actor: "test", step: "items" };
    await expect(bench.saga.until(manager.act(id, "retry", request))).rejects.toMatchObject({ code: "verb-forbidden" });
  });

  it("finds it stuck when its time is up, gives it its whole time again, and it goes on", async () => {
    const done: string[] = [];
    const manager = await bench.open([slow(done, { timeout: "12s" })]);
    const id = await bench.start(manager, "slow");
    const stuck = await bench.reached(manager, id, "stuck");
    expect(stuck.error).toMatchObject({ code: "run-timeout" });
    await bench.saga.pass(60_000);
    expect(done).toHaveLength(15);
    await bench.act(manager, id, "resume");
    await bench.reached(manager, id, "completed");
    expect(new Set(done).size).toBe(20);
  });

  it("finds it failed, with nothing tried twice, where recovery is off", async () => {
    let calls = 0;
    const definition = batch("once", {
      source: { items: [1] },
      each: () => {
        calls += 1;
        throw new Error("no");
      },
    });
    const manager = await bench.open([definition], {}, { recovery: { enabled: false } });
    const run = await bench.reached(manager, await bench.start(manager, "once"), "failed");
    expect(run.error).toMatchObject({ code: "too-many-failures" });
    expect(calls).toBe(1);
  });

  it("judges the part that failed once a hundred are settled, and at the end", async () => {
    const bad = new Set(["0", "1", "2"]);
    const manager = await bench.open([
      picky(bad, { source: { items: numbers(50) }, maxFailures: null, maxFailureRatio: 0.05 }),
    ]);
    const run = await bench.reached(manager, await bench.start(manager, "picky"), "stuck");
    expect(run.items).toMatchObject({ done: 47, failed: 3 });
  });
});

describe("the failed items of a batch", () => {
  it("are listed in pages, with their errors", async () => {
    const bad = new Set(["1", "3", "5"]);
    const manager = await bench.open([picky(bad, { maxFailures: 3 })]);
    const id = await bench.start(manager, "picky");
    await bench.reached(manager, id, "completed");
    const first = await manager.failedItems(id, { limit: 2 });
    expect(first.items.map(({ key, error }) => `${key}: ${error.message}`)).toEqual(["1: no 1", "3: no 3"]);
    const second = await manager.failedItems(id, { limit: 2, cursor: String(first.nextCursor) });
    expect(second).toMatchObject({ items: [{ key: "5" }], nextCursor: null });
  });

  it("are retried alone by a run of their own, once the batch has ended; asked twice it is one run", async () => {
    const bad = new Set(["1", "3"]);
    const tried: string[] = [];
    const manager = await bench.open([
      picky(bad, {
        maxFailures: 3,
        each: ({ key }: { key: string }) => {
          tried.push(key);
          if (bad.has(key)) throw new Error("no");
        },
      }),
    ]);
    const id = await bench.start(manager, "picky");
    await bench.reached(manager, id, "completed");
    tried.splice(0);
    bad.delete("3");
    const request = { reason: "mended", actor: "test", idempotencyKey: "k" };
    const again = await bench.saga.until(manager.retryFailed(id, request));
    expect(again.items).toBe(2);
    const run = await bench.reached(manager, again.run, "completed");
    expect(run).toMatchObject({ restartedFrom: id, output: { items: 2, done: 1, failed: 1 } });
    expect(tried.sort()).toEqual(["1", "3"]);
    expect(await bench.saga.until(manager.retryFailed(id, request))).toMatchObject({ run: again.run });
    expect((await manager.failedItems(again.run, {})).items).toMatchObject([{ key: "1", item: 1 }]);
  });

  it("are retried within the batch while it goes on", async () => {
    const bad = new Set(["0"]);
    const held = gate();
    const manager = await bench.open([
      picky(bad, {
        maxFailures: 1,
        each: async ({ key }: { key: string }) => {
          if (key === "9") await held.passed;
          if (bad.has(key)) throw new Error("no");
        },
      }),
    ]);
    const id = await bench.start(manager, "picky");
    while ((await manager.get(id)).items?.failed !== 1) await bench.saga.pass(50);
    bad.clear();
    const request = { reason: "mended", actor: "test" };
    expect(await bench.saga.until(manager.retryFailed(id, request))).toEqual({ run: id, items: 1 });
    held.open();
    const run = await bench.reached(manager, id, "completed");
    expect(run.output).toEqual({ items: 10, done: 10, failed: 0, skipped: 0 });
  });

  it("are of batches alone, and there must be some", async () => {
    const manager = await bench.open([picky(new Set())]);
    const id = await bench.start(manager, "picky");
    await bench.reached(manager, id, "completed");
    const request = { reason: "why not", actor: "test" };
    await expect(manager.retryFailed(id, request)).rejects.toMatchObject({ code: "verb-forbidden" });
    await expect(manager.failedItems("no-such-run", {})).rejects.toMatchObject({ code: "run-not-found" });
    await expect(manager.failedItems(id, { limit: 0 })).rejects.toMatchObject({ code: "input-invalid" });
  });
});
