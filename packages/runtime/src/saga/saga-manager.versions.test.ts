import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SagaBench, STORE_KINDS } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";

/** Two deployments with different lists of steps. One instance works at a time here; many at once: `stores/postgres/`. */
describe.each(STORE_KINDS)("a saga whose steps change under a run in flight, over %s", (kind) => {
  let bench: SagaBench;
  let log: string[];
  beforeEach(async () => {
    bench = await SagaBench.create(kind);
    log = [];
  });
  afterEach(() => bench.close());

  const does = (name: string) => ({ run: () => void log.push(name) });
  const orderBefore = () =>
    saga("order", { timeout: "2h" })
      .step("reserve", does("reserve"))
      .sleep("night", { for: "1m" })
      .step("ship", does("ship"))
      .build();
  const orderAfter = () =>
    saga("order", { timeout: "2h" })
      .step("reserve", does("reserve"))
      .step("check", does("check"))
      .sleep("night", { for: "1m" })
      .step("ship", does("ship"))
      .build();

  it("leaves the run to those who have its version, and says so; new runs take the new one", async () => {
    const old = await bench.open([orderBefore()]);
    const { id } = await bench.until(old.start("order", {}));
    await bench.toStatus(old, id, "waiting");
    await bench.until(old.close(0));

    const fresh = await bench.open([orderAfter()]);
    await bench.pass(100_000);
    expect((await fresh.get(id)).status).toBe("waiting");
    expect((await fresh.metrics()).strandedRuns).toBe(1);
    expect((await fresh.health()).detail).toBe(
      `runs wait for definitions that are not registered here: order@${orderBefore().version} (1)`,
    );
    expect(log).toEqual(["reserve"]);
    await bench.toEnd(fresh, "order");
    expect(log).toEqual(["reserve", "reserve", "check", "ship"]);
    await bench.until(fresh.close(0));

    const again = await bench.open([orderBefore()]);
    expect(await bench.until(again.wait(id, 600_000))).toMatchObject({
      status: "completed",
      version: orderBefore().version,
    });
    expect(log.slice(4)).toEqual(["ship"]);
    expect((await again.health()).detail).toBeNull();
  });

  it("finishes both where both are registered, and starts the last one", async () => {
    const old = await bench.open([orderBefore()]);
    const { id } = await bench.until(old.start("order", {}));
    await bench.toStatus(old, id, "waiting");
    await bench.until(old.close(0));
    const both = await bench.open([orderBefore(), orderAfter()]);
    const [first, second] = await Promise.all([bench.until(both.wait(id, 3_600_000)), bench.toEnd(both, "order")]);
    expect([first.version, second.version]).toEqual([orderBefore().version, orderAfter().version]);
    expect([first.status, second.status]).toEqual(["completed", "completed"]);
    expect(log.sort()).toEqual(["check", "reserve", "reserve", "ship", "ship"]);
  });
});
