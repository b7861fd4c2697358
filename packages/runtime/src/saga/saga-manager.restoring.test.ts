import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PartialConfig } from "../config.js";
import { RuntimeError } from "../errors.js";
import type { Checkpoint, ClaimedRun, RunStore } from "../store/run-store.js";
import { type AnyCall, hangs, SagaBench, STORE_KINDS } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";
import type { SagaManager } from "./manager.js";

const by = { actor: "ann", reason: "the numbers were wrong" };

describe.each(STORE_KINDS)("checkpoints over %s", (kind) => {
  let bench: SagaBench;
  beforeEach(async () => {
    bench = await SagaBench.create(kind);
  });
  afterEach(() => bench.close());

  const writes = (changes: Readonly<Record<string, unknown>>) => async (call: AnyCall) => {
    call.context.patch(changes);
    await call.context.checkpoint();
    return null;
  };
  let seen: unknown[] = [];
  /** Three checkpoints, then it is stuck at a step that is refused past the pivot. */
  const stuck = () => {
    seen = [];
    return saga("stuck")
      .step("a", { run: writes({ rows: [1, 2], by: { name: "x" }, "a/b~c": 1 }) })
      .step("b", { run: writes({ rows: [1, 3, 4], by: { name: "x", age: 4 }, "a/b~c": null }) })
      .pivot()
      .step("c", {
        run: ({ context }) => {
          seen.push(context.get());
          if (seen.length === 1) throw new Error("down");
          return null;
        },
        retry: { maxAttempts: 1, nonRetryable: ["handler-threw"] },
      })
      .build();
  };
  const stick = async (): Promise<{ manager: SagaManager; id: string }> => {
    const manager = await bench.open([stuck()], { checkpoint: { strategy: "manual" } });
    const { id } = await bench.until(manager.start("stuck", {}));
    await bench.toStatus(manager, id, "stuck");
    return { manager, id };
  };

  it("are shown one by one, and compared", async () => {
    const { manager, id } = await stick();
    const [newest] = await manager.checkpoints(id);
    const first = await manager.checkpoint(id, 1);
    expect(first).toMatchObject({ n: 1, fence: 1, context: { rows: [1, 2], by: { name: "x" }, "a/b~c": 1 } });
    expect(first.bytes).toBe(JSON.stringify(first.context).length);
    expect((await manager.journal(id))[first.seq - 1]?.at).toBe(first.at);
    expect(await manager.diffCheckpoints(id, 1, 2)).toEqual({
      ...{ from: 1, to: 2, isWhole: true },
      added: [
        { pointer: "/by/age", value: 4 },
        { pointer: "/rows/2", value: 4 },
      ],
      changed: [{ pointer: "/rows/1", from: 2, to: 3 }],
      removed: [{ pointer: "/a~1b~0c", value: 1 }],
    });
    expect(await manager.diffCheckpoints(id, 2, 2)).toMatchObject({ added: [], changed: [], removed: [] });
    await expect(manager.checkpoint(id, 99)).rejects.toMatchObject({
      ...{ code: "checkpoint-not-found", status: 404 },
      message: expect.stringContaining(`it keeps: ${newest?.n}`),
    });
    await expect(manager.checkpoint("nobody", 1)).rejects.toMatchObject({ code: "run-not-found" });
  });

  it("give their context back to a stuck run, also over a restart", async () => {
    const { manager, id } = await stick();
    const before = (await manager.checkpoint(id, 1)).context;
    await bench.until(manager.restoreCheckpoint(id, 1, { ...by, idempotencyKey: "r1" }));
    await bench.pass(2_000);
    expect(await manager.get(id)).toMatchObject({ status: "stuck", context: before });
    const records = (await manager.journal(id)).flatMap((row) => row.records);
    const restored = records.flatMap((record) => (record.kind === "context-restored" ? [record] : []));
    expect(restored).toMatchObject([{ n: 1, context: before, actor: "ann", reason: by.reason }]);
    // The same request is one.
    await bench.until(manager.restoreCheckpoint(id, 1, { ...by, idempotencyKey: "r1" }));
    await bench.pass(2_000);
    await bench.until(manager.close(0));
    const second = await bench.open([stuck()], { checkpoint: { strategy: "manual" } });
    seen.push("before the restart");
    await bench.until(second.act(id, "resume", by));
    expect(await bench.until(second.wait(id, 60_000))).toMatchObject({ status: "completed", context: before });
    expect(seen.at(-1)).toEqual(before);
    const after = (await second.journal(id)).flatMap((row) => row.records);
    expect(after.filter((record) => record.kind === "context-restored")).toHaveLength(1);
  });

  it("are not given back to a run that goes on, that has ended, or without a reason", async () => {
    const definition = saga("goes")
      .step("a", { run: writes({ a: 1 }) })
      .waitFor("go")
      .build();
    const manager = await bench.open([definition]);
    const { id } = await bench.until(manager.start("goes", {}));
    await bench.toStatus(manager, id, "waiting");
    const restore = (n = 1, reason = "why") => bench.until(manager.restoreCheckpoint(id, n, { actor: "ann", reason }));
    await expect(restore()).rejects.toMatchObject({
      ...{ code: "verb-forbidden", status: 409 },
      message: expect.stringContaining("expected a stuck or paused run; pause it first"),
    });
    await bench.until(manager.act(id, "pause", by));
    await bench.toStatus(manager, id, "paused");
    await expect(restore(9)).rejects.toMatchObject({ code: "checkpoint-not-found" });
    await expect(restore(1, " ")).rejects.toMatchObject({ code: "input-invalid" });
    await restore();
    await bench.until(manager.act(id, "resume", by));
    await bench.until(manager.signal(id, "go", null, by));
    await bench.until(manager.wait(id, 60_000));
    await expect(restore()).rejects.toMatchObject({ code: "verb-forbidden" });
  });

  it("are not used when the journal does not know of them: the last one that it knows is", async () => {
    const definition = (crash: boolean) =>
      saga("torn")
        .step("a", {
          timeout: "1h",
          run: async ({ context, signal }) => {
            if (!crash) return context.get();
            context.patch({ good: 1 });
            await context.checkpoint();
            return hangs({ signal });
          },
        })
        .build();
    const first = await bench.open([definition(true)], { checkpoint: { strategy: "manual" } });
    const { id } = await bench.until(first.start("torn", {}));
    await bench.pass(100);
    const [good] = await first.checkpoints(id);
    await bench.until(first.close(0));
    const torn: readonly Partial<Checkpoint>[] = [
      // Beyond the journal's end; of an owner that had been replaced; of a row that says nothing of it.
      { n: 2, seq: 99 },
      { n: 2, fence: 7 },
      { n: 3, seq: 1 },
    ];
    for (const change of torn) {
      const store = bench.store();
      const bad = { ...(good as Checkpoint), ...change, context: { bad: true } };
      const claim: RunStore["claim"] = async (request) =>
        (await store.claim(request)).map((run): ClaimedRun => ({ ...run, checkpoint: bad }));
      const checkpoints: RunStore["checkpoints"] = async (run) => [bad, ...(await store.checkpoints(run))];
      const seenBy = Object.create(store, { claim: { value: claim }, checkpoints: { value: checkpoints } }) as RunStore;
      const crashes = await bench.open([definition(true)], {}, { store: seenBy });
      await bench.pass(1_000);
      expect((await crashes.get(id)).context).toEqual({ good: 1 });
      await bench.until(crashes.close(0));
    }
    const last = await bench.open([definition(false)]);
    expect(await bench.until(last.wait(id, 60_000))).toMatchObject({ output: { good: 1 } });
  });

  it("of more than 8 MiB are refused with what would bring them about, and the run goes on", async () => {
    const megabyte = "x".repeat(1_000_000);
    const caught: unknown[] = [];
    const definition = saga("large")
      .step("patches", {
        run: async ({ context }) => {
          for (let n = 0; n < 10; n++) {
            try {
              context.patch({ [`on-the-way-${n}`]: megabyte });
            } catch (error) {
              caught.push(error);
            }
          }
          await context.checkpoint();
        },
      })
      .step("returns", { run: () => ({ context: { returned: megabyte } }) })
      .step("asks", { run: ({ context }) => context.checkpoint().catch((error: unknown) => void caught.push(error)) })
      .step("shrinks", {
        run: async ({ context }) => {
          context.patch(Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`on-the-way-${n}`, null])));
          await context.checkpoint();
        },
      })
      .build();
    const errors: unknown[] = [];
    const logger = { error: (facts: unknown) => errors.push(facts), warn() {}, info() {}, debug() {} };
    const manager = await bench.open([definition], { checkpoint: { strategy: "step" } }, { logger });
    const run = await bench.toEnd(manager, "large");
    expect(run.status).toBe("completed");
    expect(run.context).toEqual({ returned: megabyte });
    const tooLarge = expect.objectContaining({
      code: "payload-too-large",
      message: expect.stringContaining("expected a context of at most 8388608 bytes in run"),
    });
    expect(caught).toEqual([tooLarge, tooLarge, tooLarge]);
    expect(errors).toContainEqual(expect.objectContaining({ run: run.id }));
    for (const { context } of await manager.checkpoints(run.id))
      expect(JSON.stringify(context).length).toBeLessThanOrEqual(8_388_608);
  });

  /** What each strategy can lose at most of what steps write on the way: see docs/guides/sessions.md. */
  describe.each<[string, PartialConfig["checkpoint"], { readonly steps: number; readonly ms: number }]>([
    ["time", { strategy: "time", interval: 1_000 }, { steps: Number.POSITIVE_INFINITY, ms: 1_000 }],
    ["step", { strategy: "step" }, { steps: 0, ms: Number.POSITIVE_INFINITY }],
    ["count", { strategy: "count", interval: 2 }, { steps: 1, ms: Number.POSITIVE_INFINITY }],
    ["manual", { strategy: "manual" }, { steps: Number.POSITIVE_INFINITY, ms: Number.POSITIVE_INFINITY }],
  ])("of strategy %s", (strategy, checkpoint, bound) => {
    /** Each step writes every 100 ms for 700 ms what time it is; the process dies in the last one. */
    const ticking = (crash: boolean) => {
      const step = (name: string) => ({
        timeout: "1h" as const,
        run: async (call: AnyCall) => {
          for (let n = 0; n < 7; n++) {
            call.context.patch({ at: bench.clock.now(), step: name });
            if (strategy === "manual" && n === 3) await call.context.checkpoint();
            await bench.later(100);
          }
          if (crash && name === "last") return hangs(call);
          return null;
        },
      });
      return saga("ticking", { timeout: "2h" })
        .step("one", step("one"))
        .step("two", step("two"))
        .step("three", step("three"))
        .step("last", crash ? step("last") : { run: ({ context }) => context.get() })
        .build();
    };

    it("loses no more than it says in a crash", async () => {
      const store = bench.store();
      let dead = false;
      // From one moment on nothing of this process reaches the store any more.
      const cut = new Proxy(store, {
        get(target, name: keyof RunStore) {
          const value: unknown = target[name];
          if (typeof value !== "function") return value;
          if (name === "close") return value.bind(target);
          const gone = (): Promise<never> =>
            Promise.reject(new RuntimeError("store-unavailable", "the process is dead"));
          return (...args: unknown[]) => (dead ? gone() : Reflect.apply(value, target, args));
        },
      });
      const first = await bench.open([ticking(true)], { checkpoint: checkpoint ?? {} }, { store: cut });
      const { id } = await bench.until(first.start("ticking", {}));
      await bench.pass(2_790);
      const diedAt = bench.clock.now();
      dead = true;
      const second = await bench.open([ticking(false)], { checkpoint: checkpoint ?? {} });
      const run = await bench.until(second.wait(id, 600_000));
      expect(run.status).toBe("completed");
      const { at, step } = run.output as { at: number; step: string };
      const names = ["one", "two", "three", "last"];
      // Of steps that have completed nothing is lost, whatever the strategy.
      expect(names.indexOf(step)).toBeGreaterThanOrEqual(2);
      if (bound.ms !== Number.POSITIVE_INFINITY) expect(diedAt - at).toBeLessThanOrEqual(bound.ms + 100);
      if (strategy === "manual") expect(step).toBe("last");
      const kept = await second.checkpoints(id);
      const before = kept.filter((each) => each.fence === 1);
      const rows = await second.journal(id);
      const completedAfter = rows
        .slice(before[0]?.seq ?? 0)
        .filter((row) => row.fence === 1)
        .flatMap((row) => row.records.filter((record) => record.kind === "completed"));
      expect(completedAfter.length).toBeLessThanOrEqual(bound.steps);
    });
  });
});
