import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BusinessRefusal } from "../errors.js";
import { SagaBench, STORE_KINDS, scripted } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";
import type { SagaManager } from "./manager.js";

describe.each(STORE_KINDS)("a saga manager over %s, starting runs", (kind) => {
  let bench: SagaBench;
  beforeEach(async () => {
    bench = await SagaBench.create(kind);
  });
  afterEach(() => bench.close());

  const refusing = saga("s")
    .step("a", {
      run: ({ input }) => {
        if ((input as { fails?: boolean }).fails) throw new BusinessRefusal("no");
        return {};
      },
    })
    .build();
  const KEY = { idempotencyKey: "k" };

  /** Starts the saga and waits for the run's end. */
  async function ended(manager: SagaManager, input: { fails?: boolean }, options: object = KEY) {
    const started = await bench.until(manager.start("s", input, options));
    return { ...started, run: await bench.until(manager.wait(started.id, 60_000)) };
  }

  it("refuses a key that has a run, when the start is to be the first, and names that run", async () => {
    const manager = await bench.open([refusing]);
    const first = await ended(manager, {}, { ...KEY, ifExists: "reject" });
    expect(first).toMatchObject({ replayed: false, run: { status: "completed" } });
    await expect(bench.until(manager.start("s", {}, { ...KEY, ifExists: "reject" }))).rejects.toMatchObject({
      code: "run-exists",
      status: 409,
      details: { run: first.id, status: "completed" },
    });
    expect(await ended(manager, {}, { ...KEY, ifExists: "attach" })).toMatchObject({ id: first.id, replayed: true });
  });

  it("restarts what failed, with another input too, and attaches to the new run from then on", async () => {
    const manager = await bench.open([refusing]);
    const failed = await ended(manager, { fails: true });
    expect(failed.run.status).toBe("compensated");
    expect(await ended(manager, { fails: true })).toMatchObject({ id: failed.id, replayed: true });

    const again = await ended(manager, {}, { ...KEY, ifExists: "restart-if-failed" });
    expect(again).toMatchObject({ replayed: false, run: { status: "completed", restartedFrom: failed.id } });
    expect(await ended(manager, {}, { ...KEY, ifExists: "restart-if-failed" })).toMatchObject({
      id: again.id,
      replayed: true,
    });
    await expect(bench.until(manager.start("s", { fails: true }, KEY))).rejects.toMatchObject({
      code: "idempotency-key-reused",
      details: { run: again.id },
    });
    expect(await manager.get(failed.id)).toMatchObject({ status: "compensated", restartedFrom: null });
  });

  it("restarts once when 50 want it at once, and gives all of them the new run", async () => {
    const manager = await bench.open([refusing]);
    const failed = await ended(manager, { fails: true });
    const options = { ...KEY, ifExists: "restart-if-failed" } as const;
    const starts = await bench.until(Promise.all(Array.from({ length: 50 }, () => manager.start("s", {}, options))));
    expect(starts.filter(({ replayed }) => !replayed).length).toBe(1);
    expect(new Set(starts.map(({ id }) => id)).size).toBe(1);
    expect(starts[0]?.id).not.toBe(failed.id);
  });

  it("finds runs by attributes of their definition and of their caller, and by business key", async () => {
    const attributed = saga<{ customer: string; total: number }>("s", {
      attributes: ({ customer, total }) => ({ customer, size: total > 100 ? "large" : "small" }),
    })
      .step("a", { run: () => ({}) })
      .build();
    const manager = await bench.open([attributed]);
    const one = await bench.until(
      manager.start("s", { customer: "ann", total: 7 }, { businessKey: "order-1", attributes: { size: "own" } }),
    );
    await bench.pass(10);
    const two = await bench.until(manager.start("s", { customer: "ann", total: 700 }));
    const ids = async (query: object) => (await manager.list(query)).items.map(({ id }) => id);
    expect(await ids({ attributes: { customer: "ann" } })).toEqual([two.id, one.id]);
    expect(await ids({ attributes: { customer: "ann", size: "large" } })).toEqual([two.id]);
    expect(await ids({ attributes: { size: "own" } })).toEqual([one.id]);
    expect(await ids({ businessKey: "order-1" })).toEqual([one.id]);
    expect(await ids({ until: bench.clock.now() - 60_000 })).toEqual([]);
    expect(await manager.get(one.id)).toMatchObject({ attributes: { customer: "ann", size: "own" } });
  });

  it("refuses attributes that cannot be made or kept, instead of starting without them", async () => {
    const throwing = saga("throwing", {
      attributes: () => {
        throw new Error("no customer");
      },
    })
      .step("a", { run: () => ({}) })
      .build();
    const manager = await bench.open([throwing, refusing], {}, { maxRuns: 1 });
    await expect(bench.until(manager.start("throwing", {}))).rejects.toMatchObject({
      code: "input-invalid",
      message: expect.stringContaining("no customer"),
    });
    const attributes = { customer: "x".repeat(257) };
    await expect(bench.until(manager.start("s", {}, { attributes }))).rejects.toMatchObject({ code: "input-invalid" });
    expect((await manager.list({})).items).toEqual([]);
    // Nor do they take the place of a run.
    expect((await bench.toEnd(manager, "s")).status).toBe("completed");
  });

  it("ends a run that nobody begins in time, and runs nothing of it", async () => {
    const log: string[] = [];
    const a = scripted("a", log);
    const hasty = saga("hasty", { startTimeout: "5s" }).step("a", { run: a.run }).build();
    const busy = saga("busy")
      .step("b", { run: () => bench.later(8_000) })
      .build();
    const manager = await bench.open([hasty, busy], {}, { maxRuns: 1 });
    await bench.until(manager.start("busy", {}));
    const { id } = await bench.until(manager.start("hasty", {}));
    const late = await bench.until(manager.wait(id, 60_000));
    expect(late).toMatchObject({ status: "failed", rollbackStatus: "none", error: { code: "start-timeout" } });
    expect((await bench.toEnd(manager, "hasty")).status).toBe("completed");
    expect(log).toEqual(["a"]);
  });

  it.each(["step", "saga", "recovery"] as const)(
    "does not retry what the %s says is not to be retried",
    async (where) => {
      const retry = { nonRetryable: ["bad-*"], maxAttempts: 3 };
      const log: string[] = [];
      const service = {
        description: "a service that fails for good",
        perform: async () => {
          log.push("asked");
          const error = { code: "bad-address", message: "never", status: 422 };
          return { kind: "failed", error, mayHaveRun: true, retry: true } as const;
        },
        compensate: async () => {
          log.push("undone");
          return { kind: "completed", output: null } as const;
        },
      };
      const definition = saga("s", where === "saga" ? { retry } : {})
        .step("a", {
          ...{ service: "x", endpoint: "/a", compensate: { service: "x", endpoint: "/undo" } },
          ...(where === "step" && { retry }),
        })
        .build();
      const config = where === "recovery" ? { recovery: { nonRetryable: ["http-422"] } } : {};
      const manager = await bench.open([definition], config, { participants: { x: service } });
      const run = await bench.toEnd(manager, "s");
      expect(run).toMatchObject({ status: "compensated", error: { code: "bad-address" } });
      expect(log).toEqual(["asked", "undone"]);
    },
  );
});
