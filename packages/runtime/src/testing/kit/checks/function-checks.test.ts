import { describe, expect, it } from "vitest";
import { task } from "../../../saga/task.js";
import { createTestRuntime } from "../test-runtime.js";
import { sagaChecks } from "./saga-checks.js";

/** What a task did, once per key unless it is careless. */
const done = new Map<string, number>();
const work = (key: string): number => {
  done.set(key, (done.get(key) ?? 0) + 1);
  return done.size;
};

const report = task(
  "report",
  async ({ checkpoint, sleep, waitFor, idempotencyKey }) => {
    const first = await checkpoint("read", () => work(idempotencyKey("read")));
    await sleep("short", "3s");
    await sleep("long", "30d");
    const approval = await waitFor("approved", { timeout: "2d" });
    await checkpoint("write", async ({ idempotencyKey: key }) => work(key));
    return { first, approval: approval ?? null };
  },
  { timeout: "60d" },
);

describe("a function task in test time", () => {
  it("sleeps thirty days in no time, is signaled, and does each part once", async () => {
    done.clear();
    const runtime = await createTestRuntime({ definitions: [report] });
    try {
      const { id } = await runtime.start("report");
      await runtime.skip("31d");
      await runtime.signal(id, "approved", { by: "ann" });
      expect(await runtime.wait(id)).toMatchObject({
        status: "completed",
        output: { first: 1, approval: { by: "ann" } },
      });
      expect([...done.values()]).toEqual([1, 1]);
    } finally {
      await runtime.close();
    }
  });
});

describe("the checks of a function task", () => {
  const checks = sagaChecks(report, {
    signals: { approved: { by: "ann" } },
    beforeEach: () => done.clear(),
    afterEach: ({ status, run }) => {
      if (status === "completed") expect(run.output).toEqual({ first: expect.any(Number), approval: { by: "ann" } });
    },
  });
  for (const check of checks) it(check.name, check.run);

  it("find a function that decides by what is not saved", async () => {
    let runs = 0;
    const careless = task("careless", async ({ checkpoint }) => {
      runs += 1;
      await checkpoint(`part-${runs}`, () => 1);
      await checkpoint("last", () => 2);
    });
    const failed: string[] = [];
    for (const { name, run } of sagaChecks(careless)) await run().catch(() => failed.push(name));
    expect(failed).toContain("a crash before and after each row of the journal changes nothing");
  });
});
