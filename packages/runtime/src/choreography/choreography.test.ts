import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BusinessRefusal, RuntimeError } from "../errors.js";
import { saga } from "../saga/builder.js";
import type { ContextHandle } from "../saga/definition.js";
import { hangs, SagaBench, STORE_KINDS, scripted } from "../testing/saga-bench.test.support.js";

describe.each(STORE_KINDS)("a choreographed saga over %s", (kind) => {
  let bench: SagaBench;
  const log: string[] = [];
  const step = (name: string, ...script: unknown[]) => ({
    run: scripted(name, log, script).run,
    compensate: () => void log.push(`undo ${name}`),
  });
  beforeEach(async () => {
    log.length = 0;
    bench = await SagaBench.create(kind);
  });
  afterEach(() => bench.close());

  it("goes from stage to stage by their events, and ends with the output of the last one", async () => {
    const definition = saga("s", { style: "choreography" })
      .step("a", step("a", { n: 1 }))
      .step("b", { run: ({ outputs }) => ({ sum: (outputs.a as unknown as { n: number }).n + 1 }) })
      .build();
    const manager = await bench.open([definition]);
    const run = await bench.toEnd(manager, "s", { order: 7 });
    expect(run).toMatchObject({ status: "completed", output: { sum: 2 }, rollbackStatus: "none" });
    expect(run.steps.map(({ name, status }) => [name, status])).toEqual([
      ["a", "completed"],
      ["b", "completed"],
    ]);
  });

  it("undoes completed stages in reverse when a later one is refused, and leaves the refused one alone", async () => {
    const definition = saga("s", { style: "choreography" })
      .step("a", step("a"))
      .step("b", step("b"))
      .step("c", step("c", new BusinessRefusal("no funds", "declined")))
      .step("d", step("d"))
      .build();
    const manager = await bench.open([definition]);
    const run = await bench.toEnd(manager, "s");
    expect(log).toEqual(["a", "b", "c", "undo b", "undo a"]);
    expect(run).toMatchObject({
      status: "compensated",
      rollbackStatus: "done",
      error: { code: "declined", message: "no funds" },
    });
    expect(run.steps.map((each) => [each.status, each.compensation?.status ?? null])).toEqual([
      ["completed", "compensated"],
      ["completed", "compensated"],
      ["refused", null],
      ["pending", null],
    ]);
  });

  it("runs the stages of a group together, and goes on with the outputs of all of them", async () => {
    const seen: unknown[] = [];
    const definition = saga("s", { style: "choreography" })
      .parallel((group) => group.step("a", step("a", { n: 1 })).step("b", step("b", { n: 2 })))
      .step("c", { run: ({ outputs }) => void seen.push(structuredClone(outputs)) })
      .build();
    const manager = await bench.open([definition]);
    const run = await bench.toEnd(manager, "s");
    expect(run.status).toBe("completed");
    expect(seen).toMatchObject([{ a: { n: 1 }, b: { n: 2 } }]);
  });

  it("undoes a sibling that completes after the other one failed", async () => {
    const definition = saga("s", { style: "choreography" })
      .step("first", step("first"))
      .parallel((group) =>
        group.step("fails", step("fails", new BusinessRefusal("no"))).step("slow", {
          run: async () => {
            await bench.later(500);
            log.push("slow");
            return null;
          },
          compensate: () => void log.push("undo slow"),
        }),
      )
      .build();
    const manager = await bench.open([definition]);
    const run = await bench.toEnd(manager, "s");
    expect(run.status).toBe("compensated");
    expect(log).toEqual(["first", "fails", "slow", "undo slow", "undo first"]);
  });

  it("compensates a stage that timed out as unknown, under the keys that it has when it is orchestrated", async () => {
    const compensations: unknown[] = [];
    const definition = saga("s", { style: "choreography" })
      .step("slow", {
        run: hangs,
        timeout: "2s",
        retry: { maxAttempts: 1 },
        compensate: ({ outcome, output, forwardKey, idempotencyKey, runId }) =>
          void compensations.push([outcome, output, forwardKey, idempotencyKey, runId]),
      })
      .build();
    const manager = await bench.open([definition]);
    const run = await bench.toEnd(manager, "s");
    expect(run).toMatchObject({ status: "compensated", error: { code: "timeout" } });
    expect(compensations).toEqual([["unknown", null, `${run.id}:slow`, `${run.id}:slow:compensate`, run.id]]);
  });

  it("undoes all that was done when the run's time is up", async () => {
    const definition = saga("s", { style: "choreography", timeout: "10s" })
      .step("a", step("a"))
      .step("stays", { run: hangs, timeout: "1h" })
      .build();
    const manager = await bench.open([definition]);
    const run = await bench.toEnd(manager, "s");
    expect(run).toMatchObject({ status: "compensated", error: { code: "run-timeout" } });
    expect(log).toEqual(["a", "undo a"]);
  });

  it("carries the context from stage to stage, of a group what each of them changed", async () => {
    const seen: unknown[] = [];
    const sets = (key: string) => ({
      run: ({ context }: { readonly context: ContextHandle }) => context.patch({ [key]: key, last: key }),
    });
    const definition = saga("s", { style: "choreography" })
      .step("a", sets("a"))
      .parallel((group) => group.step("b", sets("b")).step("c", sets("c")))
      .step("d", { run: ({ context }) => void seen.push(context.get()) })
      .build();
    const manager = await bench.open([definition]);
    const run = await bench.toEnd(manager, "s");
    expect(run).toMatchObject({ status: "completed", context: { a: "a", b: "b", c: "c" } });
    expect(seen).toEqual([{ a: "a", b: "b", c: "c", last: "c" }]);
  });

  it("shows the run stuck while one of its stages is, and goes on when an operator led that one on", async () => {
    let fails = true;
    const definition = saga("s", { style: "choreography" })
      .step("a", {
        run: () => null,
        compensate: () => {
          if (fails) throw new Error("not now");
        },
      })
      .step("b", step("b", new BusinessRefusal("no")))
      .build();
    const manager = await bench.open([definition]);
    const { id } = await bench.until(manager.start("s", {}));
    await bench.toStatus(manager, id, "stuck");
    const { items } = await bench.until(manager.list({ status: ["stuck"], definition: "s.a" }));
    const stuck = items[0]?.id ?? "";
    fails = false;
    await bench.until(manager.act(stuck, "resume", { actor: "me", reason: "mended", idempotencyKey: "1" }));
    expect(await bench.until(manager.wait(id, 60_000))).toMatchObject({
      status: "compensated",
      rollbackStatus: "done",
    });
  });

  it("shows the run stuck until the last of its stages that are stuck goes on, whatever others do", async () => {
    const broken = new Set(["b1", "b2"]);
    const breaks = (name: string) => ({
      run: () => {
        throw new Error("not now");
      },
      retry: { maxAttempts: 1 },
      compensate: () => {
        if (broken.has(name)) throw new Error("not now either");
      },
    });
    const definition = saga("s", { style: "choreography" })
      .parallel((group) =>
        group
          .step("b1", breaks("b1"))
          .step("b2", breaks("b2"))
          .step("slow", { run: () => bench.later(600_000), timeout: "1h", compensate: () => null }),
      )
      .build();
    const manager = await bench.open([definition]);
    const { id } = await bench.until(manager.start("s", {}));
    await bench.toStatus(manager, id, "stuck");
    const mend = async (stage: string) => {
      broken.delete(stage);
      const { items } = await bench.until(manager.list({ status: ["stuck"], definition: `s.${stage}` }));
      await bench.until(
        manager.act(items[0]?.id ?? "", "resume", { actor: "me", reason: "mended", idempotencyKey: "1" }),
      );
    };
    await bench.pass(700_000);
    expect(await bench.until(manager.get(id))).toMatchObject({ status: "stuck" });
    await mend("b1");
    await bench.pass(10_000);
    expect(await bench.until(manager.get(id))).toMatchObject({ status: "stuck" });
    await mend("b2");
    expect(await bench.until(manager.wait(id, 60_000))).toMatchObject({ status: "compensated" });
  });

  it("gives participants one fence for all stages, whose owners change one by one", async () => {
    const fences: number[] = [];
    const seen = ({ fence }: { readonly fence: number }) => void fences.push(fence);
    const definition = saga("s", { style: "choreography" })
      .step("a", {
        run: async (call) => {
          seen(call);
          await bench.later(2_000);
        },
        compensate: seen,
      })
      .step("b", {
        run: (call) => {
          seen(call);
          throw new BusinessRefusal("no");
        },
      })
      .build();
    const first = await bench.open([definition]);
    const { id } = await bench.until(first.start("s", {}));
    await bench.pass(1_000);
    await bench.until(first.close(0));
    const second = await bench.open([definition]);
    expect(await bench.until(second.wait(id, 60_000))).toMatchObject({ status: "compensated" });
    expect(fences).toEqual([1, 1, 1, 1]);
  });

  it("shows the run stuck when a stage cannot tell its end", async () => {
    const tooLarge = { big: "x".repeat(600_000) };
    const definition = saga("s", { style: "choreography" })
      .step("a", { run: () => tooLarge })
      .build();
    const manager = await bench.open([definition]);
    const { id } = await bench.until(manager.start("s", {}));
    await bench.toStatus(manager, id, "stuck");
    const { items } = await bench.until(manager.list({ status: ["stuck"] }));
    expect(items.map((run) => run.definition).sort()).toEqual(["s", "s.a"]);
  });

  it("ends a stage that never begins though the reply to its claim was lost", async () => {
    const definition = saga("s", { style: "choreography" })
      .step("a", step("a", new BusinessRefusal("no")))
      .step("b", step("b"))
      .build();
    const store = bench.store();
    const claim = store.claim.bind(store);
    let lost = 0;
    store.claim = async (request) => {
      const claimed = await claim(request);
      if (lost > 0 || !claimed.some(({ run }) => run.definition === "s.b")) return claimed;
      lost += 1;
      throw new RuntimeError("store-unavailable", "the reply was lost");
    };
    const manager = await bench.open([definition], {}, { store });
    expect(await bench.toEnd(manager, "s")).toMatchObject({ status: "compensated" });
    expect([lost, log]).toEqual([1, ["a"]]);
  });

  it("goes on when it is canceled after the pivot, and only then", async () => {
    const definition = saga("s", { style: "choreography" })
      .step("a", step("a"))
      .pivot()
      .step("b", {
        run: async () => {
          await bench.later(2_000);
          log.push("b");
        },
      })
      .build();
    const manager = await bench.open([definition]);
    const { id } = await bench.until(manager.start("s", {}));
    await bench.pass(1_000);
    await expect(
      bench.until(manager.act(id, "cancel", { actor: "me", reason: "late", idempotencyKey: "1" })),
    ).rejects.toThrow(/past its pivot/);
    expect(await bench.until(manager.wait(id, 60_000))).toMatchObject({ status: "completed" });
    expect(log).toEqual(["a", "b"]);
  });
});
