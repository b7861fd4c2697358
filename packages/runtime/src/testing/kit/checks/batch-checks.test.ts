import { describe, expect, it } from "vitest";
import { batch } from "../../../batch/batch.js";
import { createTestRuntime } from "../test-runtime.js";
import { sagaChecks } from "./saga-checks.js";

const settled = new Map<string, number>();
const settle = batch<{ id: string }>("settle", {
  source: { items: Array.from({ length: 25 }, (_, n) => ({ id: `order-${n}` })), key: "id" },
  chunkSize: 4,
  concurrency: 2,
  timeout: "1h",
  each: async ({ idempotencyKey }) => {
    await Promise.resolve();
    settled.set(idempotencyKey, (settled.get(idempotencyKey) ?? 0) + 1);
  },
});

describe("a batch in test time", () => {
  it("is worked to its end", async () => {
    settled.clear();
    const runtime = await createTestRuntime({ definitions: [settle] });
    try {
      const run = await runtime.run("settle");
      expect(run).toMatchObject({ status: "completed", output: { done: 25, failed: 0 } });
      expect([...settled.values()]).toEqual(Array.from({ length: 25 }, () => 1));
    } finally {
      await runtime.close();
    }
  });
});

describe("the checks of a batch", () => {
  const checks = sagaChecks(settle, {
    beforeEach: () => settled.clear(),
    afterEach: ({ status }) => {
      if (status === "completed") expect(settled.size).toBe(25);
    },
  });
  for (const check of checks) it(check.name, check.run);
});

describe("the checks of a batch of stages, whose source is not there", () => {
  const staged = (maxFailures: number | null) =>
    batch<{ sku: string; count: number }>(`staged-${maxFailures}`, {
      source: { service: "nowhere", endpoint: "/pages" },
      maxFailures,
      timeout: "1h",
      stages: [
        {
          name: "weigh",
          service: "scales",
          endpoint: "/weigh",
          compensate: { service: "scales", endpoint: "/forget" },
        },
        {
          name: "label",
          service: "press",
          endpoint: "/label",
          when: "item.count > 1",
          input: { of: "${ outputs.weigh.grams }" },
        },
      ],
    });
  const options = {
    items: [
      { sku: "a", count: 1 },
      { sku: "b", count: 2 },
    ],
    answers: { weigh: { grams: 5 } },
  };
  for (const maxFailures of [0, 3, null])
    for (const { name, run } of sagaChecks(staged(maxFailures), options)) it(`${maxFailures} failures: ${name}`, run);
});
