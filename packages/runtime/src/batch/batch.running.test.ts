import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SagaBench } from "../testing/saga-bench.test.support.js";
import { batch } from "./batch.js";

let bench: SagaBench;
beforeEach(async () => {
  bench = await SagaBench.create("memory");
});
afterEach(() => bench.close());

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe("a batch", () => {
  it("works each item of its source once, and ends with what became of them", async () => {
    const done: string[] = [];
    const definition = batch("count", {
      source: { items: numbers(250) },
      chunkSize: 10,
      concurrency: 4,
      each: ({ key }) => void done.push(key),
    });
    const manager = await bench.open([definition]);
    const run = await bench.toEnd(manager, "count");
    expect(run).toMatchObject({ status: "completed", type: "batch", output: { items: 250, done: 250, failed: 0, skipped: 0 } });
    expect(new Set(done).size).toBe(250);
    expect(done).toHaveLength(250);
    expect(run.progress).toMatchObject({ done: 250, total: 250 });
  });
});
