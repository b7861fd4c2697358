import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Json } from "../json.js";
import { localParticipant } from "../participants/local.js";
import type { SourceChoice } from "../saga/definition.js";
import { batch } from "./batch.js";
import { BatchBench, numbers } from "./batch-bench.test.support.js";
import type { ItemSource } from "./item-source.js";
import { iteratorSource } from "./sources/iterator.js";

let bench: BatchBench;
beforeEach(async () => {
  bench = await BatchBench.create();
});
afterEach(() => bench.close());

/** Works all items of a source, three in a chunk; what was worked, by key. */
async function work(source: SourceChoice, more: Parameters<BatchBench["open"]>[1] = {}) {
  const worked = new Map<string, Json>();
  const definition = batch("work", {
    source,
    ...{ chunkSize: 3, concurrency: 2, retry: { maxAttempts: 3 } },
    each: ({ key, item }) => {
      expect(worked.has(key)).toBe(false);
      worked.set(key, item);
    },
  });
  const manager = await bench.open([definition], more);
  const id = await bench.start(manager, "work");
  const view = async () => {
    for (;;) {
      const run = await bench.saga.until(manager.get(id));
      if (run.status === "completed" || run.status === "stuck") return run;
      await bench.saga.pass(100);
    }
  };
  return { run: await view(), worked, manager, id };
}

describe("a list as a source", () => {
  it("may say which field is an item's key", async () => {
    const { worked } = await work({ items: [{ id: 7 }, { id: "x" }], key: "id" });
    expect([...worked.keys()]).toEqual(["7", "x"]);
  });

  it("halts the batch when an item has no key", async () => {
    const { run } = await work({ items: [{ id: 7 }, {}], key: "id" });
    expect(run).toMatchObject({
      status: "stuck",
      error: { code: "source-failed", message: expect.stringContaining('in "id"') },
    });
  });
});

describe("pages of a service as a source", () => {
  const pages = (answer: (body: { cursor: number | null; limit: number }) => unknown) => ({
    participants: {
      shop: localParticipant({ name: "shop", handlers: { "/open": ({ input }) => answer(input as never) } }),
    },
  });
  const source = { service: "shop", endpoint: "/open" };
  const page = (from: number, limit: number) =>
    numbers(10)
      .slice(from, from + limit)
      .map((id) => ({ id }));

  it("are asked for by their cursors until there is none", async () => {
    const asked: unknown[] = [];
    const { run, worked } = await work(
      source,
      pages(({ cursor, limit }) => {
        asked.push(cursor);
        const from = cursor ?? 0;
        return { items: page(from, limit), next_cursor: from + limit < 10 ? from + limit : null, total: 10 };
      }),
    );
    expect(run).toMatchObject({ status: "completed", output: { items: 10, done: 10 }, items: { total: 10 } });
    expect([...worked.keys()].sort()).toEqual(numbers(10).map(String));
    expect(asked).toEqual([null, 3, 6, 9]);
  });

  it("may be empty and go on", async () => {
    const { run, worked } = await work(
      source,
      pages(({ cursor, limit }) => {
        const at = cursor ?? 0;
        return {
          items: at % 2 === 0 ? [] : page((at - 1) * 2, Math.min(limit, 2)),
          next_cursor: at < 5 ? at + 1 : null,
        };
      }),
    );
    expect(run.status).toBe("completed");
    expect([...worked.keys()].sort()).toEqual(["0", "1", "4", "5", "8", "9"]);
  });

  it.each([
    ["that are no pages", () => [1, 2], "expected {items, next_cursor}"],
    ["without keys", () => ({ items: [{}] }), 'expected a text or a number in "id"'],
    ["that have a key twice", () => ({ items: [{ id: 1 }, { id: 1 }] }), "each key once"],
    ["whose cursor does not move on", () => ({ items: [], next_cursor: 1 }), "another place"],
    [
      "without end and without items",
      ({ cursor }: { cursor: number | null }) => ({ items: [], next_cursor: (cursor ?? 0) + 1 }),
      "within 1000 pages",
    ],
    ["larger than a page may be", () => ({ items: numbers(10_001).map((id) => ({ id })) }), "at most 10000 items"],
  ])("%s halt the batch", async (_, answer, message) => {
    const { run } = await work(source, pages(answer as never));
    expect(run).toMatchObject({
      status: "stuck",
      error: { code: "source-failed", message: expect.stringContaining(message) },
    });
  });

  it("that fail midway are asked for again by the policy, then halt the batch; resumed, it goes on from there", async () => {
    const asked: unknown[] = [];
    const { run, worked, manager, id } = await work(
      source,
      pages(({ cursor, limit }) => {
        const from = cursor ?? 0;
        asked.push(from);
        if (from === 6 && asked.filter((each) => each === 6).length <= 5) throw new Error("down");
        return { items: page(from, limit), next_cursor: from + limit < 10 ? from + limit : null };
      }),
    );
    expect(run).toMatchObject({ status: "stuck", error: { code: "source-failed" } });
    // Once without waiting, to have what was read before planted; then by the policy.
    expect(asked.filter((each) => each === 6)).toHaveLength(4);
    expect(worked.size).toBe(6);
    await bench.act(manager, id, "resume");
    const ended = await bench.reached(manager, id, "completed");
    expect(ended.output).toEqual({ items: 10, done: 10, failed: 0, skipped: 0 });
    expect(worked.size).toBe(10);
  });
});

describe("an iterator as a source", () => {
  it("is gone through once, and its items are kept", async () => {
    let iterated = 0;
    const source = iteratorSource(async function* () {
      for (const item of numbers(10)) {
        iterated += 1;
        yield item;
      }
    });
    const { run, worked } = await work(source);
    expect(run.status).toBe("completed");
    expect([...worked.values()].sort()).toEqual(numbers(10));
    expect(iterated).toBe(10);
  });

  it("that throws is begun anew, and what was read before is passed over", async () => {
    let begun = 0;
    const source = iteratorSource(function* () {
      begun += 1;
      for (const item of numbers(10)) {
        if (item === 5 && begun === 1) throw new Error("lost connection");
        yield item;
      }
    });
    const { run, worked } = await work(source);
    expect(run.output).toMatchObject({ items: 10, done: 10 });
    expect(worked.size).toBe(10);
    expect(begun).toBe(2);
  });
});

describe("an entity as a source", () => {
  const orders = numbers(10).map((id) => ({ id: String(id), status: id % 2 === 0 ? "open" : "shut" }));
  /** Items behind a key, as a database would give them: what is settled is no longer found. */
  const entities = (settled: Set<string>) => ({
    sources: {
      Order: (where: { readonly status?: Json }): ItemSource => ({
        read: ({ after, until, limit }) => {
          const found = orders.filter(
            ({ id, status }) =>
              !settled.has(id) &&
              status === where.status &&
              (after === null || id > String(after)) &&
              (until === null || id <= String(until)),
          );
          const page = found.slice(0, limit).map((item) => ({ key: item.id, item }));
          const last = page.at(-1)?.key ?? after;
          return { items: page, next: found.length > limit ? last : null, last };
        },
        count: () => orders.filter(({ status }) => status === where.status).length,
      }),
    },
  });

  it("gives the records that its conditions want", async () => {
    const { run, worked } = await work({ entity: "Order", where: { status: "open" } }, entities(new Set()));
    expect([...worked.keys()]).toEqual(["0", "2", "4", "6", "8"]);
    expect(run.items).toMatchObject({ total: 5, done: 5 });
  });

  it("that nobody reads halts the batch", async () => {
    const { run } = await work({ entity: "Invoice" }, entities(new Set()));
    expect(run.error).toMatchObject({ code: "source-failed", message: expect.stringContaining("got only: Order") });
  });
});

describe("a source that changes", () => {
  it("between reading ahead and the work: what is gone counts as skipped", async () => {
    const gone = new Set<string>();
    const keys = numbers(6).map(String);
    const source: ItemSource = {
      read: ({ after, until, limit }) => {
        const found = keys.filter(
          (key) =>
            !gone.has(key) && (after === null || key > String(after)) && (until === null || key <= String(until)),
        );
        const page = found.slice(0, limit);
        return {
          items: page.map((key) => ({ key, item: null })),
          next: found.length > limit ? (page.at(-1) ?? null) : null,
          last: page.at(-1) ?? null,
        };
      },
    };
    const worked: string[] = [];
    const definition = batch("work", {
      source,
      chunkSize: 3,
      each: async ({ key }) => {
        await bench.saga.later(1_000);
        worked.push(key);
      },
    });
    const first = await bench.open([definition]);
    const id = await bench.start(first, "work");
    while (worked.length < 1) await bench.saga.pass(100);
    // The second chunk is planted. Another instance reads it anew, when this one is gone and so is one of its items.
    gone.add("4");
    const second = await bench.open([definition]);
    await bench.saga.until(first.close(0));
    const run = await bench.reached(second, id, "completed");
    expect(run.output).toEqual({ items: 6, done: 5, failed: 0, skipped: 1 });
    expect(new Set(worked)).toEqual(new Set(["0", "1", "2", "3", "5"]));
  });
});
