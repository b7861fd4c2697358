import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { batch } from "../batch/batch.js";
import { SagaBench, STORE_KINDS, scripted } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";

describe.each(STORE_KINDS)("a saga manager over %s, running", (kind) => {
  let bench: SagaBench;
  beforeEach(async () => {
    bench = await SagaBench.create(kind);
  });
  afterEach(() => bench.close());

  it("runs the steps in order and hands outputs on", async () => {
    const definition = saga<{ n: number }>("sum")
      .step("double", { run: ({ input }) => input.n * 2 })
      .parallel((group) =>
        group
          .step("plus", { run: ({ outputs }) => outputs.double + 1 })
          .step("minus", { run: ({ outputs }) => outputs.double - 1 }),
      )
      .step("both", { run: ({ outputs }) => [outputs.plus, outputs.minus] })
      .build();
    const manager = await bench.open([definition]);
    const run = await bench.toEnd(manager, "sum", { n: 5 });
    expect(run).toMatchObject({ status: "completed", output: [11, 9], error: null, rollbackStatus: "none" });
    expect(run.steps.map((step) => [step.name, step.status, step.attempts])).toEqual([
      ["double", "completed", 1],
      ["plus", "completed", 1],
      ["minus", "completed", 1],
      ["both", "completed", 1],
    ]);
  });

  it("writes one row per step, the end in the last one", async () => {
    const manager = await bench.open([
      saga("three")
        .step("a", { run: () => 1 })
        .step("b", { run: () => 2 })
        .step("c", { run: () => 3 })
        .build(),
    ]);
    const { id } = await bench.toEnd(manager, "three");
    const rows = await manager.journal(id);
    expect(rows.map((row) => row.records.map((record) => record.kind))).toEqual([
      ["dispatched"],
      ["completed", "dispatched"],
      ["completed", "dispatched"],
      ["completed", "finished"],
    ]);
  });

  it("retries with durable backoff under one idempotency key", async () => {
    const step = scripted("a", [], [new Error("first"), new Error("second"), { ok: true }]);
    const manager = await bench.open([saga("s").step("a", { run: step.run }).build()], {
      recovery: { jitter: "none", initialDelayMs: 100 },
    });
    const run = await bench.toEnd(manager, "s");
    expect(run).toMatchObject({ status: "completed", output: { ok: true } });
    expect(step.calls.map((call) => call.attempt)).toEqual([1, 2, 3]);
    expect(new Set(step.calls.map((call) => call.idempotencyKey))).toEqual(new Set([`${run.id}:a`]));
    expect((run.endedAt ?? 0) - run.createdAt).toBeGreaterThanOrEqual(300);
  });

  it("gives the same run for the same key, and refuses the key with another input", async () => {
    const manager = await bench.open([
      saga("s")
        .step("a", { run: () => 1 })
        .build(),
    ]);
    const starts = await bench.until(
      Promise.all(Array.from({ length: 20 }, () => manager.start("s", { b: 1, a: [2] }, { idempotencyKey: "k" }))),
    );
    expect(new Set(starts.map((run) => run.id)).size).toBe(1);
    expect(starts.filter((run) => !run.replayed)).toHaveLength(1);
    await expect(bench.until(manager.start("s", { a: [2], b: 2 }, { idempotencyKey: "k" }))).rejects.toMatchObject({
      code: "idempotency-key-reused",
    });
    expect((await bench.until(manager.start("s", { a: [2], b: 1 }, { idempotencyKey: "k" }))).replayed).toBe(true);
  });

  it("watches a run from its first row to its end", async () => {
    const manager = await bench.open([
      saga("s")
        .step("a", { run: () => 1 })
        .step("b", { run: () => 2 })
        .build(),
    ]);
    const { id } = await bench.until(manager.start("s", {}));
    const kinds: string[] = [];
    const watched = (async () => {
      for await (const event of manager.watch(id, new AbortController().signal))
        kinds.push(...event.rows.flatMap((row) => row.records.map((record) => record.kind)));
    })();
    await bench.until(watched);
    expect(kinds).toEqual(["dispatched", "completed", "dispatched", "completed", "finished"]);
  });

  it("says what is wrong with a start", async () => {
    const definition = saga<{ n: number }>("s", {
      checkInput: (input) => {
        if (typeof (input as { n?: unknown }).n !== "number") throw new Error("n must be a number");
      },
    })
      .step("a", { run: () => 1 })
      .build();
    const manager = await bench.open([definition, batch("nightly", { source: { items: [] }, each: () => {} })]);
    await expect(manager.start("nope", {})).rejects.toMatchObject({
      code: "definition-unknown",
      message: expect.stringContaining("known are: s, nightly"),
    });
    await expect(manager.start("s", { n: "1" })).rejects.toMatchObject({
      code: "input-invalid",
      message: expect.stringContaining("n must be a number"),
    });
    await expect(manager.start("s", [1])).rejects.toMatchObject({ code: "input-invalid" });
    await expect(manager.start("s", { n: 1, text: "\u0000" })).rejects.toMatchObject({ code: "input-invalid" });
    await expect(manager.start("s", JSON.parse('{"__proto__":{"n":1},"n":1}'))).rejects.toMatchObject({
      code: "input-invalid",
    });
    await expect(bench.until(manager.get("no-such-run"))).rejects.toMatchObject({ code: "run-not-found" });
  });
});
