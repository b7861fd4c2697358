import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BusinessRefusal } from "../errors.js";
import type { StepView } from "../operator/views.js";
import { SagaBench, STORE_KINDS, scripted } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";
import type { SagaManager } from "./manager.js";

const KEPT_MS = 300_000;

describe.each(STORE_KINDS)("a saga manager over %s, over time", (kind) => {
  let bench: SagaBench;
  beforeEach(async () => {
    bench = await SagaBench.create(kind);
  });
  afterEach(() => bench.close());

  const quick = saga("quick")
    .step("a", { run: () => 1 })
    .build();
  const waits = saga("waits", { timeout: "720h" }).waitFor("never").build();

  async function ids(manager: SagaManager): Promise<string[]> {
    return (await manager.list({})).items.map(({ id }) => id);
  }

  it("deletes runs once they have ended for as long as they are kept, and no others", async () => {
    const manager = await bench.open([quick, waits], { retention: { endedMs: KEPT_MS } });
    const open = await bench.until(manager.start("waits", {}));
    await bench.pass(10);
    const early = await bench.toEnd(manager, "quick");
    await bench.pass(KEPT_MS / 2);
    const late = await bench.toEnd(manager, "quick");
    await bench.pass(KEPT_MS / 2 - 1_000);
    expect(await ids(manager)).toEqual([late.id, early.id, open.id]);
    await bench.pass(95_000);
    expect(await ids(manager)).toEqual([late.id, open.id]);
    await expect(manager.get(early.id)).rejects.toMatchObject({ code: "run-not-found" });
    await bench.pass(KEPT_MS);
    expect(await ids(manager)).toEqual([open.id]);
  });

  it("keeps them for ever when told so", async () => {
    const manager = await bench.open([quick], { retention: { endedMs: null } });
    const { id } = await bench.toEnd(manager, "quick");
    bench.clock.advance(400 * 86_400_000);
    await bench.pass(300_000);
    expect(await ids(manager)).toEqual([id]);
  });

  it("shows a run that an operator led in rounds as it ended, also where its definition is gone", async () => {
    const led = saga("led")
      .step("a", { run: () => 1 })
      .parallel((group) =>
        group.step("b", { run: scripted("b", [], [new BusinessRefusal("no")]).run }).sleep("c", { for: "1s" }),
      )
      .step("d", { run: () => 4 })
      .build();
    const config = { recovery: { strategy: "manual" }, retention: { endedMs: null } } as const;
    const before = await bench.open([led], config);
    const { id } = await bench.until(before.start("led", {}));
    await bench.toStatus(before, id, "stuck");
    await bench.until(before.act(id, "retry", { reason: "again", actor: "ann", step: "b" }));
    const { steps: performed, ...ended } = await bench.until(before.wait(id, 60_000));
    expect(performed.map(({ name, round, status }) => [name, round, status])).toEqual([
      ["a", 1, "completed"],
      ["b", 2, "completed"],
      ["c", 2, "completed"],
      ["d", 1, "completed"],
    ]);
    await bench.until(before.close());

    const after = await bench.open([quick], config);
    const { steps: shown, ...run } = await after.get(id);
    expect(run).toEqual(ended);
    const told = ({ name, status, output }: StepView) => [name, status, output];
    expect(shown.map(told)).toEqual(performed.map(told));
  });

  it("counts runs that wait for a definition or an operator, however many other runs there are", async () => {
    const gone = saga("gone").waitFor("never").build();
    const before = await bench.open([gone, quick, waits], { retention: { endedMs: null } });
    await bench.until(Promise.all(Array.from({ length: 3 }, () => before.start("gone", {}))));
    await bench.until(before.close());

    const after = await bench.open([quick, waits], { retention: { endedMs: null } });
    const started = await bench.until(
      Promise.all(Array.from({ length: 205 }, (_, n) => after.start(n === 0 ? "waits" : "quick", {}))),
    );
    const paused = started[0] ?? expect.unreachable();
    await bench.until(after.act(paused.id, "pause", { reason: "wait", actor: "ann" }));
    await bench.toStatus(after, paused.id, "paused");
    expect(await bench.until(after.health())).toMatchObject({
      ok: true,
      detail: `runs wait for definitions that are not registered here: gone@${gone.version} (3)`,
    });
    expect(await bench.until(after.metrics())).toMatchObject({
      strandedRuns: 3,
      parkedRuns: 1,
      runsByStatus: { paused: 1 },
    });
  });
});
