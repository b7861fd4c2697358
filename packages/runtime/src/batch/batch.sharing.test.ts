import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RuntimeError } from "../errors.js";
import type { SagaDefinition } from "../saga/definition.js";
import type { BatchStore } from "../store/batch-store.js";
import type { RunStore } from "../store/run-store.js";
import { createMemoryRunStore } from "../stores/memory/index.js";
import { batch } from "./batch.js";
import { BatchBench, gate, numbers } from "./batch-bench.test.support.js";
import { type MortalStore, mortal } from "./mortal-store.test.support.js";

let bench: BatchBench;
beforeEach(async () => {
  bench = await BatchBench.create();
});
afterEach(() => bench.close());

function mortalStore(): MortalStore {
  const { clock, world } = bench.saga;
  return mortal(createMemoryRunStore({ clock, world, workers: "many" }));
}

/** The store, but for one of its calls. */
function storeWith(change: (store: RunStore, batches: BatchStore) => Partial<RunStore>): RunStore {
  const { clock, world } = bench.saga;
  const store = createMemoryRunStore({ clock, world, workers: "many" });
  const { batches } = store;
  if (batches === undefined) throw new Error("expected a store that keeps batches");
  return { ...store, ...change(store, batches) };
}

interface Watch {
  readonly calls: string[];
  underWay: number;
  most: number;
}

const watch = (): Watch => ({ calls: [], underWay: 0, most: 0 });

/** Each instance has a definition of its own, of the same version, that says who worked what. */
function counted(who: string, seen: Watch, more: object = {}): SagaDefinition {
  return batch("shared", {
    source: { items: numbers(120) },
    ...{ chunkSize: 5, concurrency: 4, timeout: "1h" },
    each: async ({ key }) => {
      seen.underWay += 1;
      seen.most = Math.max(seen.most, seen.underWay);
      seen.calls.push(`${who} ${key}`);
      await bench.saga.later(100);
      seen.underWay -= 1;
    },
    ...more,
  } as Parameters<typeof batch>[1]);
}

describe("instances that share a batch", () => {
  it("work its chunks together, each once, and never more at once than it allows", async () => {
    const seen = watch();
    const managers = [];
    for (const who of ["a", "b", "c"]) managers.push(await bench.open([counted(who, seen)]));
    const [first] = managers;
    if (first === undefined) throw new Error("expected an instance");
    const id = await bench.start(first, "shared");
    const run = await bench.reached(first, id, "completed");
    expect(run.output).toMatchObject({ items: 120, done: 120 });
    expect(seen.calls.map((call) => call.split(" ")[1]).sort()).toEqual(numbers(120).map(String).sort());
    expect(new Set(seen.calls.map((call) => call[0])).size).toBeGreaterThan(1);
    expect(seen.most).toBeLessThanOrEqual(4);
  });

  it("take over from one that died: what it had in hand is worked again, and nothing else", async () => {
    const seen = watch();
    const { store, die } = mortalStore();
    const held = gate();
    const first = await bench.open(
      [
        counted("dead", seen, {
          each: async ({ key }: { key: string }) => {
            seen.calls.push(`dead ${key}`);
            if (Number(key) >= 20) await held.passed;
          },
        }),
      ],
      { store },
    );
    const id = await bench.start(first, "shared");
    while (seen.calls.length < 24) await bench.saga.pass(50);
    die();
    const second = await bench.open([
      counted("alive", watch(), { each: ({ key }: { key: string }) => void seen.calls.push(`alive ${key}`) }),
    ]);
    await bench.saga.pass(5_000);
    // Its lease has not run out.
    expect(seen.calls.filter((call) => call.startsWith("alive") && Number(call.split(" ")[1]) < 40)).toEqual([]);
    const run = await bench.reached(second, id, "completed");
    expect(run.output).toMatchObject({ items: 120, done: 120 });
    const calls = new Map<string, number>();
    for (const call of seen.calls) calls.set(call.split(" ")[1] ?? "", (calls.get(call.split(" ")[1] ?? "") ?? 0) + 1);
    expect(calls.size).toBe(120);
    const repeated = [...calls].filter(([, times]) => times > 1).map(([key]) => Number(key));
    // One item of each of its four chunks had been begun.
    expect(repeated.sort((a, b) => a - b)).toEqual([20, 25, 30, 35]);
    held.open();
  });

  it("leave what they have in hand when they lose their lease, and tell its handler so", async () => {
    const { store, die, revive } = mortalStore();
    const signals: AbortSignal[] = [];
    const definition = counted("a", watch(), {
      source: { items: [1] },
      itemTimeout: "1h",
      each: ({ signal }: { signal: AbortSignal }) => {
        signals.push(signal);
        if (signals.length > 1) return undefined;
        return new Promise(() => {});
      },
    });
    const manager = await bench.open([definition], { store });
    const id = await bench.start(manager, "shared");
    while (signals.length < 1) await bench.saga.pass(50);
    die();
    while (signals[0]?.aborted === false) await bench.saga.pass(100);
    revive();
    const run = await bench.reached(manager, id, "completed");
    expect(run.output).toMatchObject({ items: 1, done: 1 });
  });

  it("stay where they are in a chunk while the store is silent, and do nothing again that they did", async () => {
    const { store, die, revive } = mortalStore();
    const seen = watch();
    const interrupted = gate();
    const each = async ({ key, signal }: { readonly key: string; readonly signal: AbortSignal }): Promise<void> => {
      seen.calls.push(key);
      if (seen.calls.length !== 4) return;
      die();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      interrupted.open();
      throw new Error("cut short");
    };
    const items = numbers(10);
    const manager = await bench.open([counted("a", seen, { source: { items }, chunkSize: 10, each })], { store });
    const id = await bench.start(manager, "shared");
    await bench.saga.until(interrupted.passed);
    const before = seen.calls.length;
    await bench.saga.pass(20_000);
    expect(seen.calls).toHaveLength(before);
    revive();
    await bench.reached(manager, id, "completed");
    const again = seen.calls.filter((key, at) => seen.calls.indexOf(key) !== at);
    expect(again).toEqual([seen.calls[3]]);
    expect(new Set(seen.calls).size).toBe(10);
  });

  it("do nothing twice of what the dead left, when the store's answer about an item is lost", async () => {
    const { store, die } = mortalStore();
    const options = { source: { items: numbers(10) }, chunkSize: 10 };
    const first = await bench.open([counted("a", watch(), { ...options, each: () => new Promise(() => {}) })], {
      store,
    });
    const id = await bench.start(first, "shared");
    await bench.saga.pass(2_000);
    die();
    let marks = 0;
    const forgetful = storeWith((_, batches) => ({
      batches: {
        ...batches,
        mark: async (...call) => {
          const answer = await batches.mark(...call);
          marks += 1;
          if (marks % 3 === 0) throw new RuntimeError("store-unavailable", "expected an answer, got none");
          return answer;
        },
      },
    }));
    const seen = watch();
    const second = await bench.open([counted("b", seen, options)], { store: forgetful });
    const run = await bench.reached(second, id, "completed");
    expect(run.output).toMatchObject({ items: 10, done: 10 });
    expect(marks).toBeGreaterThan(10);
    expect(seen.calls).toEqual(numbers(10).map((n) => `b ${n}`));
  });

  it("come to the end of what they have in hand when they are closed", async () => {
    const seen = watch();
    const first = await bench.open([counted("a", seen)]);
    const id = await bench.start(first, "shared");
    while (seen.calls.length < 6) await bench.saga.pass(50);
    await bench.saga.until(first.close(10_000));
    const before = seen.calls.length;
    expect(before % 5).toBe(0);
    const second = await bench.open([counted("b", seen)]);
    await bench.reached(second, id, "completed");
    expect(seen.calls).toHaveLength(120);
  });

  it("go on with a batch that is canceled while one of them is dead", async () => {
    const { store, die } = mortalStore();
    const first = await bench.open([counted("a", watch(), { each: () => new Promise(() => {}), itemTimeout: "1h" })], {
      store,
    });
    const id = await bench.start(first, "shared");
    await bench.saga.pass(2_000);
    die();
    const second = await bench.open([counted("b", watch())]);
    await bench.act(second, id, "cancel");
    const run = await bench.reached(second, id, "cancelled");
    expect(run.items).toMatchObject({ done: 0 });
  });

  it("go on when replies of the store are lost", async () => {
    const seen = watch();
    let calls = 0;
    const losing = storeWith((_, batches) => ({
      batches: new Proxy(batches, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== "function") return value;
          return async (...args: unknown[]): Promise<unknown> => {
            const answer: unknown = await Reflect.apply(value, target, args);
            calls += 1;
            // Every third one: it was done, and nobody is told.
            if (calls % 3 === 0 && name !== "get")
              throw new RuntimeError("store-unavailable", "expected an answer, got none");
            return answer;
          };
        },
      }),
    }));
    const manager = await bench.open([counted("a", seen)], { store: losing });
    const id = await bench.start(manager, "shared");
    const run = await bench.reached(manager, id, "completed");
    expect(run.output).toEqual({ items: 120, done: 120, failed: 0, skipped: 0 });
    expect(seen.calls).toHaveLength(120);
  });
});

describe("a batch whose chunks were given and are in nobody's hand", () => {
  /** The first answer that gives chunks is one that nobody can go on from. */
  const breaking = (): RunStore => {
    let isBroken = false;
    return storeWith((_, batches) => ({
      batches: {
        ...batches,
        advance: async (request) => {
          const result = await batches.advance(request);
          if (isBroken || result.taken.length === 0) return result;
          isBroken = true;
          throw new Error("the driver of the database has a bug");
        },
      },
    }));
  };

  it("is stuck, and goes on with them when it is resumed", async () => {
    const seen = watch();
    const manager = await bench.open([counted("a", seen)], { store: breaking() });
    const id = await bench.start(manager, "shared");
    const { error } = await bench.reached(manager, id, "stuck");
    expect(error).toMatchObject({ code: "store-refused" });
    await bench.act(manager, id, "resume");
    await bench.reached(manager, id, "completed");
    expect(seen.calls).toHaveLength(120);
  });

  it.each([
    ["cancel", "cancelled"],
    ["abandon", "failed"],
  ] as const)("ends when it is stuck: %s", async (verb, status) => {
    const seen = watch();
    const manager = await bench.open([counted("a", seen)], { store: breaking() });
    const id = await bench.start(manager, "shared");
    await bench.reached(manager, id, "stuck");
    await bench.act(manager, id, verb);
    await bench.saga.pass(10_000);
    expect(await manager.get(id)).toMatchObject({ status });
    expect(seen.calls).toEqual([]);
  });
});

describe("a batch that has ended", () => {
  it("is told of until its run's inbox has room", async () => {
    let refused = 0;
    const store = storeWith(({ signal }) => ({
      signal: async (signals) => {
        if (refused === 3 || !signals.some(({ kind }) => kind === "child")) return signal(signals);
        refused += 1;
        return signals.map(() => "full");
      },
    }));
    const manager = await bench.open([counted("a", watch())], { store });
    const id = await bench.start(manager, "shared");
    await bench.saga.pass(60_000);
    expect(await manager.get(id)).toMatchObject({ status: "completed" });
    expect(refused).toBe(3);
  });
});

describe("an item that kills its process", () => {
  it("is found, apart from others, and fails; the others are done", async () => {
    const seen: string[] = [];
    const begunBeside: number[] = [];
    let lives = 0;
    let underWay = 0;
    const definitionOf = (die: () => void): SagaDefinition =>
      batch("deadly", {
        source: { items: numbers(20) },
        ...{ chunkSize: 5, concurrency: 4, maxFailures: 1, timeout: "10h", itemTimeout: "10h" },
        each: async ({ key }) => {
          seen.push(`${lives} ${key}`);
          underWay += 1;
          if (key === "7") {
            begunBeside.push(underWay);
            underWay = 0;
            die();
            return new Promise(() => {});
          }
          await bench.saga.later(10);
          underWay = Math.max(0, underWay - 1);
          return undefined;
        },
      });
    const config = { recovery: { maxCrashes: 2 } };
    const live = async () => {
      lives += 1;
      const { store, die } = mortalStore();
      let isDead = false;
      const manager = await bench.open(
        [
          definitionOf(() => {
            isDead = true;
            die();
          }),
        ],
        { store },
        config,
      );
      return { manager, isDead: () => isDead };
    };
    let process = await live();
    const id = await bench.start(process.manager, "deadly");
    const observer = createMemoryRunStore({ clock: bench.saga.clock, world: bench.saga.world, workers: "many" });
    await observer.open();
    while ((await observer.get(id))?.status !== "completed") {
      await bench.saga.pass(100);
      if (process.isDead()) process = await live();
    }
    const run = await bench.saga.until(process.manager.get(id));
    expect(run.output).toEqual({ items: 20, done: 19, failed: 1, skipped: 0 });
    expect((await process.manager.failedItems(id, {})).items).toMatchObject([{ key: "7", error: { code: "poison" } }]);
    // Once among others, and then so often as it takes, alone.
    expect(begunBeside).toHaveLength(3);
    expect(begunBeside.slice(1)).toEqual([1, 1]);
    await observer.close();
  });
});
