import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SagaBench, STORE_KINDS } from "../testing/saga-bench.test.support.js";
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
