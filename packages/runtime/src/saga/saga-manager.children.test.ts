import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolveConfig } from "../config.js";
import { BusinessRefusal, RuntimeError } from "../errors.js";
import { hangs, SagaBench, STORE_KINDS } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";
import { type Definition, Registry } from "./registry.js";

/** A saga of two steps that note what they do. */
function noting(log: string[], name: string) {
  const step = (what: string) => ({
    run: () => {
      log.push(what);
      return what;
    },
    compensate: ({ runId, forwardKey, outcome }: { runId: string; forwardKey: string; outcome: string }) => {
      log.push(`undo ${what}`);
      expect(forwardKey).toBe(`${runId}:${what}`);
      expect(outcome).toBe("completed");
    },
  });
  return saga(name)
    .step(`${name}-1`, step(`${name}-1`))
    .step(`${name}-2`, step(`${name}-2`))
    .build();
}

const refuse = {
  run: () => {
    throw new BusinessRefusal("no");
  },
};

describe.each(STORE_KINDS)("a saga manager over %s, with child sagas", (kind) => {
  let bench: SagaBench;
  let log: string[];
  beforeEach(async () => {
    bench = await SagaBench.create(kind);
    log = [];
  });
  afterEach(() => bench.close());

  it("runs a child, waits for its end, and hands its output on", async () => {
    const parent = saga<{ n: number }>("parent")
      .child("ship", { saga: "child", input: ({ input }) => ({ twice: input.n * 2 }) })
      .step("after", { run: ({ outputs }) => outputs.ship })
      .build();
    const child = saga<{ twice: number }>("child")
      .step("one", { run: ({ input }) => input.twice + 1 })
      .build();
    const manager = await bench.open([parent, child]);
    const run = await bench.toEnd(manager, "parent", { n: 4 });
    expect(run).toMatchObject({ status: "completed", output: 9 });
    const [ship] = run.steps;
    const ran = await manager.get(ship?.child ?? "");
    expect(ran).toMatchObject({ definition: "child", parentId: run.id, status: "completed", input: { twice: 8 } });
    expect(ran.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(ran.id.slice(0, 13)).toBe(run.id.slice(0, 13));
  });

  it("parks while its child works", async () => {
    const parent = saga("parent", { timeout: "1h" }).child("wait", { saga: "child" }).build();
    const child = saga("child", { timeout: "1h" }).sleep("nap", { for: "10m" }).build();
    const manager = await bench.open([parent, child]);
    const { id } = await bench.until(manager.start("parent", {}));
    await bench.toStatus(manager, id, "waiting");
    await bench.pass(2_000);
    expect((await manager.metrics()).activeRuns).toBe(0);
    expect((await bench.until(manager.wait(id, 3_600_000))).status).toBe("completed");
  });

  it("is refused when its child fails, with what the child said", async () => {
    const undone: string[] = [];
    const parent = saga("parent")
      .step("first", { run: () => 1, compensate: () => undone.push("first") })
      .child("inner", { saga: "child" })
      .build();
    const manager = await bench.open([parent, saga("child").step("no", refuse).build()]);
    const run = await bench.toEnd(manager, "parent");
    expect(run).toMatchObject({ status: "compensated", error: { code: "child-compensated" } });
    expect(run.error?.message).toMatch(/ended compensated: no$/);
    expect(undone).toEqual(["first"]);
    // There is nothing to undo of a child that undid itself.
    expect((await manager.list({})).items).toHaveLength(2);
  });

  it("is refused when the child refuses its input, and no child is made", async () => {
    const checkInput = (input: unknown): asserts input is { n: number } => {
      if (typeof (input as { n?: unknown }).n !== "number") throw new Error("expected a number n");
    };
    const child = saga<{ n: number }>("child", { checkInput })
      .step("a", { run: () => 1 })
      .build();
    const manager = await bench.open([saga("parent").child("inner", { saga: child }).build(), child]);
    const run = await bench.toEnd(manager, "parent");
    expect(run).toMatchObject({ status: "compensated", error: { code: "input-invalid" } });
    expect((await manager.list({})).items).toHaveLength(1);
  });

  it("undoes a completed child, last step first, before what came before the child", async () => {
    const parent = saga("parent")
      .step("first", { run: () => log.push("first"), compensate: () => log.push("undo first") })
      .child("inner", { saga: "child" })
      .step("no", refuse)
      .build();
    const manager = await bench.open([parent, noting(log, "child")]);
    const run = await bench.toEnd(manager, "parent");
    expect(run).toMatchObject({ status: "compensated", rollbackStatus: "done" });
    expect(log).toEqual(["first", "child-1", "child-2", "undo child-2", "undo child-1", "undo first"]);
    const runs = (await manager.list({ definition: "child" })).items;
    expect(runs.map(({ status }) => status).sort()).toEqual(["compensated", "completed"]);
  });

  it("undoes the children of its child", async () => {
    const parent = saga("parent").child("inner", { saga: "middle" }).step("no", refuse).build();
    const middle = saga("middle").child("deep", { saga: "child" }).build();
    const manager = await bench.open([parent, middle, noting(log, "child")]);
    const run = await bench.toEnd(manager, "parent");
    expect(run.status).toBe("compensated");
    expect(log).toEqual(["child-1", "child-2", "undo child-2", "undo child-1"]);
  });

  it("cancels its child when it is canceled, and waits for its end", async () => {
    const parent = saga("parent")
      .step("first", { run: () => log.push("first"), compensate: () => log.push("undo first") })
      .child("inner", { saga: "child" })
      .build();
    const child = saga("child")
      .step("one", {
        run: () => log.push("one"),
        compensate: async () => {
          await bench.later(3_000);
          log.push("undo one");
        },
      })
      .sleep("nap", { for: "2m" })
      .build();
    const manager = await bench.open([parent, child]);
    const { id } = await bench.until(manager.start("parent", {}));
    await bench.toStatus(manager, id, "waiting");
    await bench.until(manager.act(id, "cancel", { reason: "changed my mind", actor: "ann" }));
    const run = await bench.until(manager.wait(id, 60_000));
    expect(run.status).toBe("cancelled");
    expect(log).toEqual(["first", "one", "undo one", "undo first"]);
    const canceled = await manager.get(run.steps[1]?.child ?? "");
    expect(canceled).toMatchObject({ status: "cancelled" });
    expect(canceled.error?.message).toContain("changed my mind");
  });

  it("cancels a child at once when a sibling fails, before that sibling's siblings have settled", async () => {
    const parent = saga("parent")
      .parallel((group) =>
        group
          .child("inner", { saga: "child" })
          .step("slow", { run: () => bench.later(20_000) })
          .step("no", {
            run: async () => {
              await bench.later(1_000);
              throw new BusinessRefusal("no");
            },
          }),
      )
      .build();
    const child = saga("child").sleep("nap", { for: "2m" }).build();
    const manager = await bench.open([parent, child]);
    const { id } = await bench.until(manager.start("parent", {}));
    const run = await bench.until(manager.wait(id, 100_000));
    expect(run.status).toBe("compensated");
    const canceled = await manager.get(run.steps[0]?.child ?? "");
    expect((canceled.endedAt ?? 0) - run.createdAt).toBeLessThan(4_000);
  });

  it("starts its child once, whenever its process is replaced", async () => {
    const parent = saga("parent").child("inner", { saga: "child" }).build();
    const child = saga("child")
      .step("one", { run: () => log.push("one") })
      .sleep("nap", { for: "30s" })
      .build();
    for (let restart = 0; restart < 3; restart++) {
      const manager = await bench.open([parent, child]);
      const { id } = await bench.until(manager.start("parent", {}, { idempotencyKey: "k" }));
      await bench.pass(restart * 40);
      if (restart < 2) await bench.until(manager.close(0));
      else expect((await bench.until(manager.wait(id, 60_000))).status).toBe("completed");
      expect((await bench.until(manager.list({})).catch(() => ({ items: [] }))).items.length).toBeLessThanOrEqual(2);
    }
    expect(log).toEqual(["one"]);
  });

  it("starts another child when an operator resumes it after one failed", async () => {
    let broken = true;
    const parent = saga("parent")
      .step("a", { run: () => 1 })
      .pivot()
      .child("inner", { saga: "child" })
      .build();
    const child = saga("child")
      .step("one", {
        run: () => {
          if (broken) throw new BusinessRefusal("not yet");
          return "done";
        },
      })
      .build();
    const manager = await bench.open([parent, child]);
    const { id } = await bench.until(manager.start("parent", {}));
    await bench.toStatus(manager, id, "stuck");
    broken = false;
    await bench.until(manager.act(id, "resume", { reason: "mended", actor: "ann" }));
    expect(await bench.until(manager.wait(id, 60_000))).toMatchObject({ status: "completed", output: "done" });
    expect((await manager.list({ definition: "child" })).items).toHaveLength(2);
  });

  it("parks when the undoing of its child is given up, until an operator skips it", async () => {
    const stubborn = {
      run: () => 1,
      compensate: () => {
        throw new BusinessRefusal("cannot be undone");
      },
    };
    const parent = saga("parent").child("inner", { saga: "child" }).step("no", refuse).build();
    const manager = await bench.open([parent, saga("child").step("one", stubborn).build()]);
    const { id } = await bench.until(manager.start("parent", {}));
    const undoing = async () =>
      (await manager.list({ definition: "child" })).items.find((run) => run.status === "stuck");
    while ((await undoing()) === undefined) await bench.pass(100);
    expect((await manager.get(id)).status).toBe("compensating");
    await bench.until(manager.act((await undoing())?.id ?? "", "abandon", { reason: "by hand", actor: "ann" }));
    await bench.toStatus(manager, id, "stuck");
    await bench.until(manager.act(id, "resume", { reason: "try", actor: "ann" }));
    await bench.pass(3_000);
    // What was given up stays so.
    expect(await manager.get(id)).toMatchObject({ status: "stuck", error: { code: "undo-failed" } });
    await bench.until(manager.act(id, "skip", { reason: "by hand", actor: "ann" }));
    expect(await bench.until(manager.wait(id, 60_000))).toMatchObject({
      status: "compensated",
      rollbackStatus: "incomplete",
    });
  });
});

describe("child sagas that cannot be", () => {
  const refused = (definitions: readonly Definition[]) => () => new Registry(definitions, {}, resolveConfig());
  const running = (name: string, child: string) => saga(name).child("inner", { saga: child }).build();

  it.each([
    [[running("a", "b")], /expected the saga "b", which step "a\.inner" runs, got none; known are: a/],
    [[running("a", "a")], /got a -> a;/],
    [[running("a", "b"), running("b", "c"), running("c", "a")], /got a -> b -> c -> a; take the step "c\.inner" out/],
  ])("are refused where they are registered", (definitions, message) => {
    expect(refused(definitions)).toThrow(message);
    expect(refused(definitions)).toThrow(RuntimeError);
  });

  it("may come back to another version, of which no run is started any more", () => {
    const old = running("a", "b");
    const current = saga("a").step("x", { run: hangs }).build();
    expect(refused([old, current, running("b", "a")])).not.toThrow();
  });
});
