import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BusinessRefusal } from "../errors.js";
import { SagaBench, STORE_KINDS, scripted } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";

describe.each(STORE_KINDS)("a saga manager over %s, operated", (kind) => {
  let bench: SagaBench;
  beforeEach(async () => {
    bench = await SagaBench.create(kind);
  });
  afterEach(() => bench.close());

  it("parks the run as stuck when a compensation fails for good; resume and skip lead on", async () => {
    const refusals = [new BusinessRefusal("cannot refund"), new BusinessRefusal("still not")];
    const undo = scripted("undo", [], refusals);
    const definition = saga("s")
      .step("pay", { run: () => ({ id: 1 }), compensate: (call) => undo.run(call) })
      .step("ship", {
        run: () => {
          throw new BusinessRefusal("no address");
        },
      })
      .build();
    const manager = await bench.open([definition]);
    const { id } = await bench.until(manager.start("s", {}));
    await bench.toStatus(manager, id, "stuck");
    expect(await manager.get(id)).toMatchObject({ rollbackStatus: "incomplete", error: { message: "cannot refund" } });
    await bench.until(manager.act(id, "resume", { reason: "bank says yes", actor: "ann" }));
    while (undo.calls.length < 2) await bench.pass(50);
    await bench.toStatus(manager, id, "stuck");
    await bench.until(manager.act(id, "skip", { reason: "refunded by hand", actor: "ann" }));
    expect(await bench.until(manager.wait(id, 60_000))).toMatchObject({
      status: "compensated",
      rollbackStatus: "incomplete",
    });
    expect((await manager.journal(id)).flatMap((row) => row.records)).toContainEqual({
      kind: "compensation-skipped",
      step: "pay",
      actor: "ann",
      reason: "refunded by hand",
      request: expect.any(String),
    });
    await expect(bench.until(manager.act(id, "resume", { reason: "again", actor: "ann" }))).rejects.toMatchObject({
      code: "verb-forbidden",
    });
  });

  it("goes only forward after the pivot, retrying beyond its attempts, and parks a refusal there", async () => {
    const log: string[] = [];
    const after = scripted("after", log, [
      new Error("1"),
      new Error("2"),
      new Error("3"),
      new BusinessRefusal("never"),
    ]);
    const definition = saga("s")
      .step("before", { run: () => 1, compensate: () => log.push("undone") })
      .pivot()
      .step("after", { run: after.run, retry: { maxAttempts: 2 } })
      .build();
    const manager = await bench.open([definition]);
    const { id } = await bench.until(manager.start("s", {}));
    await bench.toStatus(manager, id, "stuck");
    await expect(bench.until(manager.act(id, "cancel", { reason: "late", actor: "bob" }))).rejects.toMatchObject({
      code: "verb-forbidden",
    });
    await bench.until(manager.act(id, "abandon", { reason: "by hand", actor: "bob" }));
    expect(await bench.until(manager.wait(id, 60_000))).toMatchObject({
      status: "failed",
      error: { code: "abandoned" },
    });
    expect(log).toEqual(["after", "after", "after", "after"]);
  });

  it("leaves no timer behind that would keep a process alive once the attempts under way have ended", async () => {
    const definition = saga("s")
      .step("a", { run: () => bench.later(500) })
      .build();
    const manager = await bench.open([definition]);
    await bench.until(manager.start("s", {}));
    const startedAt = bench.clock.now();
    await bench.until(manager.close(60_000));
    expect(bench.clock.now() - startedAt).toBeLessThan(5_000);
    expect(bench.clock.pending).toBe(0);
  });

  it("cancels: the attempt under way ends, what was done is undone, and the run ends cancelled", async () => {
    const log: string[] = [];
    const definition = saga("s")
      .step("a", { run: () => 1, compensate: () => log.push("undo a") })
      .step("b", {
        run: async () => {
          await bench.later(5_000);
          log.push("b done");
          return 2;
        },
        compensate: () => log.push("undo b"),
      })
      .step("c", { run: () => log.push("c") })
      .build();
    const manager = await bench.open([definition]);
    const { id } = await bench.until(manager.start("s", {}));
    await bench.pass(1_000);
    const verb = { reason: "changed my mind", actor: "ann", idempotencyKey: "k" };
    await bench.until(manager.act(id, "cancel", verb));
    await bench.until(manager.act(id, "cancel", verb));
    expect(await bench.until(manager.wait(id, 60_000))).toMatchObject({ status: "cancelled", rollbackStatus: "done" });
    expect(log).toEqual(["b done", "undo b", "undo a"]);
    expect(
      (await manager.journal(id)).flatMap((row) => row.records).filter((record) => record.kind === "cancel-requested"),
    ).toHaveLength(1);
  });

  it("parks a run whose output cannot be made, drives the others, and ends it once it can be", async () => {
    let broken = true;
    const poison = saga("poison")
      .step("a", { run: () => 1 })
      .returns(() => {
        if (broken) throw new Error("no output today");
        return { fine: true };
      })
      .build();
    const good = saga("good")
      .step("a", { run: () => 1 })
      .build();
    const manager = await bench.open([poison, good]);
    const { id } = await bench.until(manager.start("poison", {}));
    await bench.toStatus(manager, id, "stuck");
    expect(await manager.get(id)).toMatchObject({ error: { code: "output-unknown", message: "no output today" } });
    expect(await bench.toEnd(manager, "good")).toMatchObject({ status: "completed" });
    broken = false;
    await bench.until(manager.act(id, "resume", { reason: "mended", actor: "ann" }));
    expect(await bench.until(manager.wait(id, 60_000))).toMatchObject({ status: "completed", output: { fine: true } });
  });

  it("carries out one verb of two that come together, when the first ends the run", async () => {
    const definition = saga("s")
      .step("a", {
        run: () => {
          throw new BusinessRefusal("no");
        },
      })
      .build();
    const config = { recovery: { strategy: "manual" } } as const;
    const first = await bench.open([definition], config);
    const { id } = await bench.until(first.start("s", {}));
    await bench.toStatus(first, id, "stuck");
    await Promise.all(
      ["ann", "bob"].map((actor) => first.act(id, "abandon", { reason: "enough", actor }).catch(() => {})),
    );
    expect(await bench.until(first.wait(id, 60_000))).toMatchObject({ status: "failed", error: { code: "abandoned" } });
  });

  it("refuses a verb that the store cannot take, instead of losing it", async () => {
    const manager = await bench.open([
      saga("s")
        .step("a", { run: () => bench.later(5_000) })
        .build(),
    ]);
    const { id } = await bench.until(manager.start("s", {}));
    const request = { reason: "why not", actor: "ann", idempotencyKey: "a\0b" };
    await expect(bench.until(manager.act(id, "cancel", request))).rejects.toMatchObject({ code: "input-invalid" });
  });
});
