import { createTestRuntime, sagaChecks, type TestRuntime } from "@clean-arch/runtime/testing/sagas";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { trialSaga, type Warehouse } from "./trial.js";

class Shelf implements Warehouse {
  readonly aside = new Set<string>();
  readonly shipped = new Set<string>();
  setAside = (key: string): void => void this.aside.add(key);
  giveBack = (key: string): void => void this.aside.delete(key);
  ship = (key: string): void => void this.shipped.add(key);
}

let shelf = new Shelf();
const definition = trialSaga({
  setAside: (key) => shelf.setAside(key),
  giveBack: (key) => shelf.giveBack(key),
  ship: (key) => shelf.ship(key),
});
beforeEach(() => {
  shelf = new Shelf();
});

describe("a trial of thirty days", () => {
  let runtime: TestRuntime;
  beforeEach(async () => {
    runtime = await createTestRuntime({ definitions: [definition], startAt: "2026-03-01T09:00:00Z" });
  });
  afterEach(() => runtime.close());

  it("ships after the decision, and takes less than a second here", { timeout: 1_000 }, async () => {
    const { id } = await runtime.start("trial", { sku: "lamp" });
    await runtime.runUntil("decision");
    expect(new Date(runtime.clock.now()).toISOString()).toMatch(/^2026-03-31T09:00/);
    expect(shelf.shipped.size).toBe(0);

    await runtime.skip("6d");
    await runtime.signal(id, "decision", { approved: true, by: "ann" });
    expect(await runtime.wait(id)).toMatchObject({ status: "completed" });
    expect(shelf.shipped.size).toBe(1);
  });

  it("is given back when nobody decides in time, though the process dies on the way", { timeout: 1_000 }, async () => {
    const { id } = await runtime.start("trial", { sku: "lamp" });
    await runtime.skip("12d");
    await runtime.crash();
    const run = await runtime.wait(id);
    expect(run).toMatchObject({ status: "compensated", error: { code: "signal-timeout" } });
    expect(runtime.callsOf("set_aside", "forward")).toHaveLength(1);
    expect(shelf.aside.size).toBe(0);
  });
});

describe("whatever happens to a trial", () => {
  const checks = sagaChecks(definition, {
    input: { sku: "lamp" },
    signals: { decision: { approved: true, by: "ann" } },
    beforeEach: () => {
      shelf = new Shelf();
    },
    afterEach: ({ status }) => {
      const expected = status === "completed" ? [1, 1] : [0, 0];
      expect([shelf.aside.size, shelf.shipped.size]).toEqual(expected);
    },
  });
  for (const check of checks) it(check.name, check.run);
});
