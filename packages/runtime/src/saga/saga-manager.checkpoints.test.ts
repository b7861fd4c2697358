import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunStore } from "../store/run-store.js";
import { type AnyCall, hangs, SagaBench, STORE_KINDS } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";

describe.each(STORE_KINDS)("a saga manager over %s, keeping the run's context", (kind) => {
  let bench: SagaBench;
  beforeEach(async () => {
    bench = await SagaBench.create(kind);
  });
  afterEach(() => bench.close());

  it("keeps what a step writes into the context: with its result, and on the way by checkpoint", async () => {
    const seen: unknown[] = [];
    const definition = (crash: boolean) =>
      saga("s")
        .step("a", { run: () => ({ context: { from: { a: 1 } } }) })
        .step("b", {
          timeout: "1h",
          run: async ({ context, signal }) => {
            seen.push(context.get());
            if (!crash) return { context: { from: { b: 2 } } };
            context.patch({ progress: 1 });
            await context.checkpoint();
            context.patch({ progress: 2 });
            return hangs({ signal });
          },
        })
        .build();
    const manual = { checkpoint: { strategy: "manual" } } as const;
    const first = await bench.open([definition(true)], manual);
    const { id } = await bench.until(first.start("s", {}));
    await bench.pass(100);
    await bench.until(first.close(0));
    const second = await bench.open([definition(false)], manual);
    const run = await bench.until(second.wait(id, 600_000));
    expect(seen).toEqual([{ from: { a: 1 } }, { from: { a: 1 }, progress: 1 }]);
    expect(run.context).toEqual({ from: { a: 1, b: 2 }, progress: 1 });
    expect(await second.checkpoints(id)).toMatchObject([{ n: 2 }, { n: 1, context: { progress: 1 } }]);
  });

  it("cuts short an attempt whose checkpoint finds the run's time up, before it has waited for anything", async () => {
    const definition = saga("s", { timeout: "2s" })
      .step("a", { run: () => 1 })
      .step("b", {
        timeout: "1h",
        run: ({ context, signal }) => {
          context.checkpoint().catch(() => {});
          return hangs({ signal });
        },
      })
      .build();
    const store = bench.store();
    const append: RunStore["append"] = async (appends) => {
      const results = await store.append(appends);
      await bench.later(3_000);
      return results;
    };
    const manager = await bench.open([definition], {}, { store: Object.create(store, { append: { value: append } }) });
    expect(await bench.toEnd(manager, "s")).toMatchObject({ status: "compensated", error: { code: "run-timeout" } });
  });

  it.each([
    ["time", { strategy: "time", interval: 1_000 }, 2],
    ["step", { strategy: "step" }, 4],
    ["count", { strategy: "count", interval: 2 }, 2],
    ["off", { enabled: false }, 0],
  ] as const)("takes snapshots by strategy %s", async (_, checkpoint, snapshots) => {
    const write = async ({ context, stage }: AnyCall) => {
      context.patch({ [stage]: true });
      await bench.later(800);
    };
    const definition = saga("s")
      .step("a", { run: write })
      .step("b", { run: write })
      .step("c", { run: write })
      .step("d", { run: write })
      .build();
    const manager = await bench.open([definition], { checkpoint });
    const { id } = await bench.toEnd(manager, "s");
    const taken = await manager.checkpoints(id);
    expect(taken).toHaveLength(snapshots);
    if (snapshots > 0) expect(taken[0]?.context).toEqual({ a: true, b: true, c: true, d: true });
  });
});
