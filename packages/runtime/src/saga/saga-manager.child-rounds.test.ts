import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BusinessRefusal } from "../errors.js";
import { SagaBench, STORE_KINDS } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";
import type { RunVerb, SagaManager, VerbRequest } from "./manager.js";

describe.each(STORE_KINDS)("a saga manager over %s, operating on runs with children", (kind) => {
  let bench: SagaBench;
  let log: string[];
  beforeEach(async () => {
    bench = await SagaBench.create(kind);
    log = [];
  });
  afterEach(() => bench.close());

  function act(manager: SagaManager, id: string, verb: RunVerb, more: Partial<VerbRequest> = {}): Promise<void> {
    return bench.until(manager.act(id, verb, { reason: "because", actor: "ann", ...more }));
  }

  /** Notes under which keys it is done and undone, without the run's id. */
  function keyed(name: string) {
    const note = ({ idempotencyKey, runId }: { idempotencyKey: string; runId: string }) => {
      log.push(idempotencyKey.replace(runId, ""));
      return name;
    };
    return { run: note, compensate: note };
  }

  it("undoes the child when its parent is retried from there, and starts another one", async () => {
    const child = saga("child").step("one", keyed("one")).build();
    const parent = saga("parent").child("ship", { saga: "child" }).waitFor("go").build();
    const manager = await bench.open([parent, child]);
    const { id } = await bench.until(manager.start("parent", {}));
    await bench.toStatus(manager, id, "waiting");
    await bench.pass(1_000);
    await act(manager, id, "pause");
    await bench.toStatus(manager, id, "paused");
    const first = (await manager.get(id)).steps[0]?.child ?? "";
    await act(manager, id, "retry", { step: "ship" });
    await bench.until(manager.signal(id, "go", null, { actor: "ann" }));
    const run = await bench.until(manager.wait(id, 60_000));
    const second = run.steps[0]?.child ?? "";
    expect(run.status).toBe("completed");
    expect(second).not.toBe(first);
    expect((await manager.get(second)).status).toBe("completed");
    expect(log).toEqual([":one", ":one:compensate", ":one"]);
  });

  it("undoes what a child did in a later round under the keys of that round", async () => {
    const child = saga("child").step("one", keyed("one")).waitFor("go").step("two", keyed("two")).build();
    const refuse = () => {
      throw new BusinessRefusal("no");
    };
    const parent = saga("parent").child("ship", { saga: "child" }).step("after", { run: refuse }).build();
    const manager = await bench.open([parent, child]);
    const { id } = await bench.until(manager.start("parent", {}));
    await bench.toStatus(manager, id, "waiting");
    const ship = (await manager.get(id)).steps[0]?.child ?? "";
    await bench.toStatus(manager, ship, "waiting");
    await act(manager, ship, "pause");
    await bench.toStatus(manager, ship, "paused");
    await act(manager, ship, "retry", { step: "one" });
    await bench.until(manager.signal(ship, "go", null, { actor: "ann" }));
    expect((await bench.until(manager.wait(id, 60_000))).status).toBe("compensated");
    expect(log).toEqual([":one", ":one:compensate", ":one:r2", ":two", ":two:compensate", ":one:r2:compensate"]);
  });

  it("undoes an abandoned child whose own child is still on its way to its end", async () => {
    const slowUndo = {
      run: () => log.push("deep"),
      compensate: () => bench.later(5_000).then(() => log.push("undone")),
    };
    const deep = saga("deep").step("one", slowUndo).waitFor("never").build();
    const child = saga("child").child("deep", { saga: "deep" }).build();
    const parent = saga("parent").child("ship", { saga: "child" }).build();
    const manager = await bench.open([parent, child, deep]);
    const { id } = await bench.until(manager.start("parent", {}));
    await bench.toStatus(manager, id, "waiting");
    const ship = (await manager.get(id)).steps[0]?.child ?? "";
    await bench.toStatus(manager, ship, "waiting");
    await bench.toStatus(manager, (await manager.get(ship)).steps[0]?.child ?? "", "waiting");
    await act(manager, ship, "pause");
    await bench.toStatus(manager, ship, "paused");
    await act(manager, ship, "abandon");
    const run = await bench.until(manager.wait(id, 60_000));
    expect(run).toMatchObject({ status: "compensated", rollbackStatus: "done" });
    expect(log).toEqual(["deep", "undone"]);
  });

  it("gives a child the attributes that its definition finds in its input", async () => {
    const child = saga<{ sku: string }>("child", { attributes: ({ sku }) => ({ sku }) })
      .step("one", keyed("one"))
      .build();
    const parent = saga("parent")
      .child("ship", { saga: "child", input: () => ({ sku: "a-1" }) })
      .build();
    const manager = await bench.open([parent, child]);
    const run = await bench.toEnd(manager, "parent");
    const { items } = await manager.list({ attributes: { sku: "a-1" }, limit: 10 });
    expect(items.map(({ id }) => id)).toEqual([run.steps[0]?.child]);
  });
});
