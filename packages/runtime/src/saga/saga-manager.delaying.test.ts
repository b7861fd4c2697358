import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SagaBench, STORE_KINDS } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";

describe.each(STORE_KINDS)("a saga manager over %s, with runs that begin later", (kind) => {
  let bench: SagaBench;
  let inputs: unknown[];
  const noting = (options = {}) =>
    saga("s", options)
      .step("a", { run: ({ runInput }) => void inputs.push({ at: bench.clock.now(), ...(runInput as object) }) })
      .build();
  beforeEach(async () => {
    bench = await SagaBench.create(kind);
    inputs = [];
  });
  afterEach(() => bench.close());

  it("begins a run when its time comes, not at the poll after it", async () => {
    const manager = await bench.open([noting()], {}, { pollMs: 60_000 });
    const now = bench.clock.now();
    const delayed = await bench.until(manager.start("s", { n: 1 }, { delayMs: 7_000 }));
    const fixed = await bench.until(manager.start("s", { n: 2 }, { startAt: now + 9_000 }));
    const past = await bench.until(manager.start("s", { n: 3 }, { startAt: now - 9_000 }));
    expect(await manager.get(delayed.id)).toMatchObject({ status: "pending", startAt: now + 7_000 });
    expect(past.status).toBe("running");
    for (const { id } of [delayed, fixed, past]) await bench.until(manager.wait(id, 120_000));
    expect(inputs).toEqual([
      { n: 3, at: now },
      { n: 1, at: now + 7_000 },
      { n: 2, at: expect.toSatisfy((at: number) => at >= now + 9_000) },
    ]);
  });

  it("begins it though the instance that started it is gone", async () => {
    const manager = await bench.open([noting()]);
    const { id } = await bench.until(manager.start("s", { n: 1 }, { delayMs: 60_000 }));
    await bench.until(manager.close(0));
    const next = await bench.open([noting()]);
    await bench.pass(50_000);
    expect(inputs).toEqual([]);
    expect(await bench.until(next.wait(id, 60_000))).toMatchObject({ status: "completed" });
  });

  it("counts its time from when it began", async () => {
    const times = { timeout: "10s", startTimeout: "10s" } as const;
    const manager = await bench.open([noting(times)]);
    const { id } = await bench.until(manager.start("s", {}, { delayMs: 60_000 }));
    expect(await bench.until(manager.wait(id, 120_000))).toMatchObject({ status: "completed" });
  });

  it("cancels a run before its time", async () => {
    const manager = await bench.open([noting()]);
    const { id } = await bench.until(manager.start("s", {}, { delayMs: 3_600_000 }));
    await bench.until(manager.act(id, "cancel", { reason: "no more", actor: "me" }));
    expect(await bench.until(manager.wait(id, 10_000))).toMatchObject({ status: "cancelled" });
    expect(inputs).toEqual([]);
  });

  it("runs once for many starts with one debounce key, with the last input, when they have come to rest", async () => {
    const manager = await bench.open([noting()]);
    const now = bench.clock.now();
    const start = (n: number) =>
      bench.until(manager.start("s", { n }, { debounce: { key: "k", ms: 10_000, maxMs: 60_000 } }));
    const first = await start(0);
    expect(first.replayed).toBe(false);
    for (let n = 1; n <= 3; n++) {
      await bench.pass(8_000);
      expect(await start(n)).toEqual({ id: first.id, status: "pending", replayed: true });
    }
    const run = await bench.until(manager.wait(first.id, 120_000));
    expect(run).toMatchObject({ status: "completed", input: { n: 3 } });
    expect(inputs).toMatchObject([{ n: 3 }]);
    expect((inputs[0] as { at: number }).at).toBeGreaterThanOrEqual(now + 34_000);
    expect((await start(4)).id).not.toBe(first.id);
  });

  it("puts it off no longer than it may be", async () => {
    const manager = await bench.open([noting()]);
    const now = bench.clock.now();
    for (let n = 0; n < 20; n++) {
      await bench.until(manager.start("s", { n }, { debounce: { key: "k", ms: 5_000, maxMs: 15_000 } }));
      await bench.pass(1_000);
    }
    expect(inputs.length).toBe(1);
    expect((inputs[0] as { at: number }).at - now).toBeGreaterThanOrEqual(15_000);
    expect((inputs[0] as { at: number }).at - now).toBeLessThan(17_000);
  });

  it.each([
    ["a delay below zero", { delayMs: -1 }],
    ["part of a millisecond", { delayMs: 0.5 }],
    ["a delay beyond ten years", { startAt: Number.MAX_SAFE_INTEGER }],
    ["a delay and a time", { delayMs: 1, startAt: 1 }],
    ["a debounce with a key of its own", { idempotencyKey: "k", debounce: { key: "d", ms: 1 } }],
    ["a debounce that may not last", { debounce: { key: "d", ms: 10, maxMs: 5 } }],
    ["a debounce without a key", { debounce: { key: "", ms: 10 } }],
    ["a priority that is none", { priority: 1.5 }],
    ["a queue key that is none", { queueKey: "" }],
  ])("refuses %s", async (_, options) => {
    const manager = await bench.open([noting()]);
    await expect(bench.until(manager.start("s", {}, options))).rejects.toMatchObject({ code: "input-invalid" });
    expect((await manager.list({})).items).toEqual([]);
  });

  it("refuses a time for a choreographed saga, whose stages begin by events", async () => {
    const manager = await bench.open([noting({ style: "choreography" })]);
    const start = bench.until(manager.start("s", {}, { delayMs: 1_000 }));
    await expect(start).rejects.toMatchObject({ code: "input-invalid" });
  });
});
