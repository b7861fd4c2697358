import { readFile } from "node:fs/promises";
import { afterEach, describe, expect, it } from "vitest";
import { saga } from "../../saga/builder.js";
import { faultyStore } from "./faulty-store.js";
import { createTestRuntime, type TestRuntime, type TestRuntimeOptions } from "./test-runtime.js";

const runtimes: TestRuntime[] = [];
afterEach(() => Promise.all(runtimes.splice(0).map((runtime) => runtime.close())));

async function open(options: TestRuntimeOptions): Promise<TestRuntime> {
  const runtime = await createTestRuntime(options);
  runtimes.push(runtime);
  return runtime;
}

const thirtyDays = saga("thirty_days", { timeout: "60d" })
  .step("reserve", { service: "stock", endpoint: "/reserve", compensate: { service: "stock", endpoint: "/release" } })
  .sleep("cool_off", { for: "30d" })
  .waitFor("approve", { timeout: "7d" })
  .step("ship", { service: "stock", endpoint: "/ship", input: ({ outputs }) => ({ by: outputs.approve }) })
  .build();

describe("a test runtime", () => {
  it("skips the days in which nothing is due, and stands still for whoever signals", async () => {
    const runtime = await open({ definitions: [thirtyDays], startAt: "2026-03-01T00:00:00Z" });
    const { id } = await runtime.start("thirty_days");
    await runtime.runUntil("approve");
    expect(new Date(runtime.clock.now()).toISOString()).toMatch(/^2026-03-31T00:00:0/);
    await runtime.signal(id, "approve", { by: "ann" });
    expect(await runtime.wait(id)).toMatchObject({ status: "completed" });
    expect(runtime.callsOf("ship")).toMatchObject([{ input: { by: { by: "ann" } }, attempt: 1, result: "done" }]);
  });

  it("lets the time of a wait run out when nobody signals, and shows what was undone", async () => {
    const runtime = await open({ definitions: [thirtyDays] });
    const run = await runtime.run("thirty_days");
    expect(run).toMatchObject({ status: "compensated", error: { code: "signal-timeout" } });
    expect(runtime.calls.map(({ stage, direction }) => [stage, direction])).toEqual([
      ["reserve", "forward"],
      ["reserve", "compensate"],
    ]);
    expect((run.endedAt ?? 0) - run.createdAt).toBeGreaterThanOrEqual(37 * 86_400_000);
  });

  it("lets exactly as much time pass as is asked for", async () => {
    const runtime = await open({ definitions: [thirtyDays] });
    await runtime.start("thirty_days");
    const before = runtime.clock.now();
    await runtime.skip("10d");
    expect(runtime.clock.now() - before).toBe(10 * 86_400_000);
  });

  it("waits for the real world while a handler is at it", async () => {
    const read = saga("read")
      .step("file", { timeout: "1ms", run: async () => (await readFile(import.meta.filename, "utf8")).length })
      .build();
    const runtime = await open({ definitions: [read] });
    expect(await runtime.run("read")).toMatchObject({ status: "completed" });
    expect(runtime.callsOf("file")).toHaveLength(1);
  });

  it("goes on without a handler that never answers, up to its timeout", async () => {
    let calls = 0;
    const stubborn = saga("stubborn")
      .step("hang", { timeout: "20s", run: () => (++calls === 1 ? new Promise(() => {}) : "done") })
      .build();
    const runtime = await open({ definitions: [stubborn], patienceMs: 5 });
    expect(await runtime.run("stubborn")).toMatchObject({ status: "completed", steps: [{ attempts: 2 }] });
    expect(runtime.calls.map(({ result }) => result)).toEqual(["open", "done"]);
  });

  it("lets handlers wait for test time, and write checkpoints on the way", async () => {
    let clock: TestRuntime["clock"] | null = null;
    const slow = saga("slow", { timeout: "2h" })
      .step("work", {
        timeout: "1h",
        run: async ({ context }) => {
          context.patch({ half: true });
          await context.checkpoint();
          await new Promise<void>((resolve) => clock?.after(600_000, resolve));
          return "worked";
        },
      })
      .build();
    const runtime = await open({ definitions: [slow], config: { checkpoint: { strategy: "manual" } } });
    clock = runtime.clock;
    const run = await runtime.run("slow");
    expect(run).toMatchObject({ status: "completed", output: "worked", context: { half: true } });
    expect((run.endedAt ?? 0) - run.createdAt).toBeGreaterThanOrEqual(600_000);
  });

  it("answers and fails for services as the test says", async () => {
    const runtime = await open({
      definitions: [thirtyDays],
      answers: { reserve: { shelf: 7 }, ship: ({ input }) => ({ sent: input }) },
    });
    runtime.fail("reserve", { times: 2 });
    runtime.fail("ship", { status: 422, message: "no truck" });
    const { id } = await runtime.start("thirty_days");
    await runtime.signal(id, "approve", "early");
    const run = await runtime.wait(id);
    expect(run).toMatchObject({ status: "compensated", error: { message: "no truck", status: 422 } });
    expect(run.steps[0]).toMatchObject({ output: { shelf: 7 }, attempts: 3 });
    expect(runtime.callsOf("reserve").map(({ result, key }) => [result, key])).toEqual([
      ["failed", `${id}:reserve`],
      ["failed", `${id}:reserve`],
      ["done", `${id}:reserve`],
      ["done", `${id}:reserve:compensate`],
    ]);
  });

  it("is taken over by the next process after a crash, without the attempt under way", async () => {
    const runtime = await open({ definitions: [thirtyDays] });
    const { id } = await runtime.start("thirty_days");
    await runtime.runUntil("cool_off");
    const slept = runtime.clock.now();
    await runtime.crash();
    expect(runtime.clock.now() - slept).toBeLessThan(60_000);
    await runtime.runUntil("approve");
    await runtime.signal(id, "approve");
    expect(await runtime.wait(id)).toMatchObject({ status: "completed" });
    expect(runtime.calls).toHaveLength(2);
    expect(runtime.journalText(id)).toMatch(/^ {3}1 {2}f1 {2}\+0ms +dispatched step=reserve direction=forward/);
  });

  it("skips days after a crash as before it", async () => {
    const runtime = await open({ definitions: [thirtyDays] });
    const { id } = await runtime.start("thirty_days");
    await runtime.skip("12d");
    await runtime.crash();
    const run = await runtime.wait(id);
    expect(run).toMatchObject({ status: "compensated", error: { code: "signal-timeout" } });
  });

  it("does again under the same key what a crash interrupted", async () => {
    const keys: string[] = [];
    const twice = saga("twice")
      .step("charge", {
        run: ({ idempotencyKey }) => {
          keys.push(idempotencyKey);
          return keys.length === 1 ? new Promise(() => {}) : "charged";
        },
      })
      .build();
    const runtime = await open({ definitions: [twice] });
    const { id } = await runtime.start("twice");
    await runtime.runUntil(() => keys.length === 1);
    await runtime.crash();
    expect(await runtime.wait(id)).toMatchObject({ status: "completed", output: "charged" });
    expect(keys).toEqual([`${id}:charge`, `${id}:charge`]);
  });

  it("works over a store that loses replies", async () => {
    const runtime = await open({
      definitions: [thirtyDays],
      store: (store, clock) =>
        faultyStore(store, { clock, plan: [{ method: "append", nth: 1, times: 3, fault: "reply-lost" }] }),
    });
    const { id } = await runtime.start("thirty_days");
    await runtime.signal(id, "approve");
    expect(await runtime.wait(id)).toMatchObject({ status: "completed" });
  });

  it("says what a run waits for that nobody is going to move", async () => {
    const forever = saga("forever", { timeout: "1d" }).waitFor("word").build();
    const runtime = await open({ definitions: [forever] });
    const { id } = await runtime.start("forever");
    await runtime.act(id, "pause");
    await expect(runtime.runUntil(() => false)).rejects.toThrow(
      "expected the condition to hold, nothing happens any more",
    );
  });

  it("refuses a step that nobody has, and an answer that nobody gives", async () => {
    const runtime = await open({ definitions: [thirtyDays] });
    expect(() => runtime.fail("sail")).toThrow('got "sail"; known are: reserve, cool_off, approve, ship');
    await expect(runtime.runUntil("sail")).rejects.toThrow("known are");
    const wrong = createTestRuntime({ definitions: [thirtyDays], answers: { approve: 1 } });
    await expect(wrong).rejects.toThrow('got one of "approve"; such steps are: reserve, ship');
  });
});
