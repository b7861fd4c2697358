import { describe, expect, it } from "vitest";
import { resolveConfig } from "../config.js";
import { saga } from "./builder.js";
import type { SagaDefinition } from "./definition.js";
import { sagaFromConfig } from "./from-config.js";
import type { QueueOptions } from "./queue.js";
import { Registry } from "./registry.js";

const run = () => ({});
const inQueue = (name: string, queue: QueueOptions, style?: "choreography"): SagaDefinition =>
  saga(name, { queue, ...(style !== undefined && { style }) })
    .step("a", { run })
    .build();
const limitsOf = (...definitions: SagaDefinition[]) => new Registry(definitions, {}, resolveConfig({})).queues;
const NONE = { concurrency: null, concurrencyPerKey: null, rateLimit: null };

describe("the queue of a definition", () => {
  it("is named after it when it has a limit, and the default one otherwise", () => {
    expect(inQueue("s", { concurrency: 3 }).queue).toEqual({
      ...NONE,
      queue: "s",
      concurrency: 3,
      priority: 0,
      key: null,
    });
    expect(inQueue("s", { priority: 7 }).queue).toMatchObject({ ...NONE, queue: "default", priority: 7 });
    expect(inQueue("s", { name: "mail" }).queue).toMatchObject({ ...NONE, queue: "mail" });
  });

  it("is no part of what a run is pinned to", () => {
    const plain = saga("s").step("a", { run }).build();
    expect(inQueue("s", { concurrency: 3 }).version).toBe(plain.version);
  });

  it("is the same from a config", async () => {
    const { queue } = sagaFromConfig({
      name: "s",
      stages: [{ name: "a", sleep: 1 }],
      ...{ queue: "mail", priority: 2, concurrency: 3, concurrency_per_key: 1, rate_limit: { max: 10, window: "1m" } },
      queue_key: "input.customer",
    });
    const options = { name: "mail", priority: 2, concurrency: 3, concurrencyPerKey: 1 };
    const built = inQueue("s", { ...options, rateLimit: { max: 10, window: "60s" } }).queue;
    expect({ ...queue, key: null }).toEqual(built);
    expect(await queue?.key?.({ customer: "c1" })).toBe("c1");
    expect(await queue?.key?.({})).toBeUndefined();
    expect(sagaFromConfig({ name: "s", stages: [{ name: "a", sleep: 1 }] }).queue).toBeUndefined();
  });

  const BAD: readonly (readonly [string, QueueOptions])[] = [
    ["no place", { concurrency: 0 }],
    ["part of a place", { concurrencyPerKey: 1.5 }],
    ["a name that is none", { name: "a b" }],
    ["a limit of the default queue", { name: "default", concurrency: 1 }],
    ["a rate of nothing", { rateLimit: { max: 0, window: "1s" } }],
    ["a window without an end", { rateLimit: { max: 1, window: "48h" } }],
    ["a window without a length", { rateLimit: { max: 1, window: "0s" } }],
    ["a priority that is none", { priority: Number.NaN }],
  ];
  it.each(BAD)("is refused with %s", (_, queue) => {
    expect(() => inQueue("s", queue)).toThrow(expect.objectContaining({ code: "definition-invalid" }));
  });

  it("is refused from a config whose key is no JSONata", () => {
    const task = { name: "s", stages: [{ name: "a", sleep: 1 }], queue_key: "input.(" };
    expect(() => sagaFromConfig(task)).toThrow(/queue_key/);
  });
});

describe("the limits of a queue", () => {
  it("are given by one of its definitions, or the same by several", () => {
    const limit = { ...NONE, queue: "mail", concurrency: 3 };
    expect(limitsOf(inQueue("a", { name: "mail", concurrency: 3 }), inQueue("b", { name: "mail" }))).toEqual([limit]);
    const both = [inQueue("a", { name: "mail", concurrency: 3 }), inQueue("b", { name: "mail", concurrency: 3 })];
    expect(limitsOf(...both)).toEqual([limit]);
    expect(limitsOf(inQueue("a", { name: "mail" }))).toEqual([]);
  });

  it("are refused when two definitions do not agree, with both named", () => {
    const two = [inQueue("a", { name: "mail", concurrency: 3 }), inQueue("b", { name: "mail", concurrency: 4 })];
    expect(() => limitsOf(...two)).toThrow(/one limit of queue "mail".*"a".*"b"/);
  });

  it("are those of the newest version of a definition", () => {
    const old = saga("a", { queue: { concurrency: 1 } })
      .step("old", { run })
      .build();
    expect(limitsOf(old, inQueue("a", { concurrency: 2 }))).toMatchObject([{ queue: "a", concurrency: 2 }]);
  });

  it("are refused for a choreographed saga, which nobody can hold back", () => {
    expect(() => limitsOf(inQueue("a", { concurrency: 3 }, "choreography"))).toThrow(/choreographed/);
  });
});
