import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MAX_KEPT_SIGNALS } from "../engine/signals.js";
import { SagaBench, STORE_KINDS, scripted } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";
import { sagaFromConfig } from "./from-config.js";

const HOUR_MS = 3_600_000;
const by = { actor: "ann" };

describe.each(STORE_KINDS)("a saga manager over %s, waiting", (kind) => {
  let bench: SagaBench;
  beforeEach(async () => {
    bench = await SagaBench.create(kind);
  });
  afterEach(() => bench.close());

  it("parks a run that sleeps for long, and wakes it on time", async () => {
    const definition = saga("s", { timeout: "2h" })
      .step("a", { run: () => 1 })
      .sleep("nap", { for: "20m" })
      .step("b", { run: () => 2 })
      .build();
    const manager = await bench.open([definition]);
    const { id } = await bench.until(manager.start("s", {}));
    await bench.toStatus(manager, id, "waiting");
    expect((await manager.metrics()).activeRuns).toBe(0);
    expect((await manager.get(id)).steps[1]).toMatchObject({ name: "nap", status: "waiting", attempts: 1 });
    const run = await bench.until(manager.wait(id, HOUR_MS));
    expect(run).toMatchObject({ status: "completed", output: 2 });
    const [, nap] = run.steps;
    const sleptMs = (nap?.endedAt ?? 0) - (nap?.startedAt ?? 0);
    expect(sleptMs).toBeGreaterThanOrEqual(1_200_000);
    expect(sleptMs).toBeLessThan(1_205_000);
  });

  it("neither shortens nor forgets a sleep over a restart", async () => {
    const definition = saga("s", { timeout: "2h" }).sleep("nap", { for: "20m" }).build();
    const first = await bench.open([definition]);
    const { id } = await bench.until(first.start("s", {}));
    const asleepAt = bench.clock.now();
    await bench.toStatus(first, id, "waiting");
    await bench.pass(600_000);
    await bench.until(first.close(0));
    const second = await bench.open([definition]);
    await bench.until(second.wait(id, HOUR_MS));
    expect(bench.clock.now() - asleepAt).toBeGreaterThanOrEqual(1_200_000);
    expect(bench.clock.now() - asleepAt).toBeLessThan(1_205_000);
  });

  it("sleeps until the time that an expression gives", async () => {
    const task = { name: "s", timeout: "2h", stages: [{ name: "nap", sleep: "${ input.until }" }] };
    const manager = await bench.open([sagaFromConfig(task)]);
    const until = bench.clock.now() + 600_000;
    const run = await bench.toEnd(manager, "s", { until: new Date(until).toISOString() });
    expect(run.status).toBe("completed");
    expect(run.endedAt).toBeGreaterThanOrEqual(until);
    expect(run.endedAt).toBeLessThan(until + 5_000);
  });

  it("gives a signal to the step that waits for it", async () => {
    const definition = saga("s")
      .waitFor("approved", { timeout: "1h" })
      .step("b", { run: ({ outputs }) => outputs.approved })
      .build();
    const manager = await bench.open([definition], { saga: { timeoutMs: 7_200_000 } });
    const { id } = await bench.until(manager.start("s", {}));
    await bench.toStatus(manager, id, "waiting");
    await bench.until(manager.signal(id, "approved", { by: "bob" }, by));
    const run = await bench.until(manager.wait(id, 60_000));
    expect(run).toMatchObject({ status: "completed", output: { by: "bob" } });
  });

  it("keeps what comes early, once for one key, and over a restart", async () => {
    const slow = scripted("slow", []);
    const definition = saga("s")
      .step("slow", {
        run: async (call) => {
          await bench.later(1_000);
          return slow.run(call);
        },
      })
      .parallel((group) => group.waitFor("one", { signal: "go" }).waitFor("two", { signal: "go" }))
      .build();
    const first = await bench.open([definition]);
    const { id } = await bench.until(first.start("s", {}));
    for (const [n, key] of [
      [1, "a"],
      [1, "a"],
      [2, "b"],
    ] as const)
      await bench.until(first.signal(id, "go", n, { ...by, idempotencyKey: key }));
    await bench.until(first.close(0));
    const second = await bench.open([definition]);
    const run = await bench.until(second.wait(id, 60_000));
    expect(run).toMatchObject({ status: "completed", output: { one: 1, two: 2 } });
    const records = (await second.journal(id)).flatMap((row) => row.records);
    expect(records.filter((record) => record.kind === "signaled")).toHaveLength(2);
  });

  it("says who cannot be signaled, and why", async () => {
    const manager = await bench.open([saga("s").waitFor("go").build()]);
    const { id } = await bench.until(manager.start("s", {}));
    const refused = (name: string, payload: unknown = null, run = id) =>
      bench.until(manager.signal(run, name, payload as null, by));
    await expect(refused("go", null, "nobody")).rejects.toMatchObject({ code: "run-not-found" });
    await expect(refused("no such/name")).rejects.toMatchObject({ code: "input-invalid" });
    await expect(refused("go", { __proto__: null, a: "\0" })).rejects.toMatchObject({ code: "input-invalid" });
    await expect(refused("go", "x".repeat(1_100_000))).rejects.toMatchObject({ code: "payload-too-large" });
    await bench.until(manager.signal(id, "go", 1, { ...by, idempotencyKey: "k" }));
    await bench.until(manager.wait(id, 60_000));
    await expect(refused("go")).rejects.toMatchObject({ code: "run-ended", status: 409 });
    // The very signal that was taken may be sent again.
    await bench.until(manager.signal(id, "go", 1, { ...by, idempotencyKey: "k" }));
  });

  it("takes a signal for a wait in a new round", async () => {
    const definition = saga("s")
      .step("first", { run: () => 1 })
      .step("a", { run: () => 1 })
      .waitFor("approved", { timeout: "10s" })
      .build();
    const manager = await bench.open([definition], { recovery: { strategy: "manual" } });
    const { id } = await bench.until(manager.start("s", {}));
    await bench.toStatus(manager, id, "stuck");
    await bench.until(manager.act(id, "retry", { step: "a", reason: "asked again", actor: "ann" }));
    await bench.pass(5_000);
    await bench.until(manager.signal(id, "approved", "yes", by));
    expect(await bench.until(manager.wait(id, 60_000))).toMatchObject({ status: "completed", output: "yes" });
  });

  it("keeps a bounded number of signals, and tells who sends one more", async () => {
    const manager = await bench.open([saga("s").waitFor("go").build()]);
    const { id } = await bench.until(manager.start("s", {}));
    await bench.toStatus(manager, id, "waiting");
    const send = (count: number) =>
      bench.until(Promise.all(Array.from({ length: count }, (_, n) => manager.signal(id, "noise", n, by))));
    const half = MAX_KEPT_SIGNALS / 2;
    await send(half);
    await bench.pass(3_000);
    await send(half + 5);
    await bench.pass(3_000);
    await expect(bench.until(manager.signal(id, "go", null, by))).rejects.toMatchObject({
      code: "too-many-signals",
      status: 429,
    });
    const records = (await manager.journal(id)).flatMap((row) => row.records);
    // What slipped through together is refused by the owner, in sight.
    expect(records.filter((record) => record.kind === "signal-refused")).toHaveLength(5);
  });

  it("takes an early deadline of a wait as what the step says", async () => {
    const undone: string[] = [];
    const definition = saga("s")
      .step("a", { run: () => 1, compensate: () => undone.push("a") })
      .waitFor("approved", { timeout: "30s", onTimeout: "refuse" })
      .build();
    const manager = await bench.open([definition]);
    const run = await bench.toEnd(manager, "s");
    expect(run).toMatchObject({ status: "compensated", error: { code: "signal-timeout" } });
    expect(run.steps[1]).toMatchObject({ status: "refused" });
    expect(undone).toEqual(["a"]);
  });

  it("does not take a signal that came after the deadline, however late that is noticed", async () => {
    const definition = saga("s", { timeout: "2h" }).waitFor("approved", { timeout: "10m" }).build();
    const first = await bench.open([definition]);
    const { id } = await bench.until(first.start("s", {}));
    await bench.toStatus(first, id, "waiting");
    await bench.until(first.close(0));
    await bench.pass(660_000);
    const second = await bench.open([]);
    await bench.until(second.signal(id, "approved", null, by));
    await bench.until(second.close(0));
    const third = await bench.open([definition]);
    const run = await bench.until(third.wait(id, 60_000));
    expect(run).toMatchObject({ status: "compensated", error: { code: "signal-timeout" } });
  });
});
