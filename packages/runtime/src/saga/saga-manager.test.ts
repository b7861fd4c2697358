import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type PartialConfig, resolveConfig } from "../config.js";
import { BusinessRefusal } from "../errors.js";
import type { RunStore } from "../store/run-store.js";
import { createMemoryRunStore, createMemoryWorld } from "../stores/memory/index.js";
import { createSqliteRunStore } from "../stores/sqlite/index.js";
import { createManualClock, type ManualClock } from "../testing/manual-clock.js";
import { SeededRandom } from "../testing/seeded-random.js";
import { passTimeUntil } from "../testing/virtual-time.js";
import { batch } from "./batch.js";
import { saga } from "./builder.js";
import type { StepCall } from "./definition.js";

import type { SagaManager } from "./manager.js";
import type { Definition } from "./registry.js";
import { createSagaManager, type SagaManagerOptions } from "./saga-manager.js";

type AnyCall = Omit<StepCall, "input" | "outputs">;

interface Bench {
  readonly clock: ManualClock;
  readonly store: () => RunStore;
}

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const stores: Record<string, () => Promise<Bench>> = {
  async memory() {
    const clock = createManualClock();
    const world = createMemoryWorld();
    return { clock, store: () => createMemoryRunStore({ clock, world }) };
  },
  async sqlite() {
    const clock = createManualClock();
    const folder = await mkdtemp(join(tmpdir(), "saga-manager-"));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    return { clock, store: () => createSqliteRunStore({ file: join(folder, "runs.db"), clock }) };
  },
};

/** A step that keeps what it was called with and does what its script says, call by call; then it succeeds. */
function scripted(name: string, log: string[], script: (unknown | Error)[] = []) {
  const calls: AnyCall[] = [];
  const run = async (call: AnyCall) => {
    calls.push(call);
    log.push(name);
    const next = script[calls.length - 1];
    if (next instanceof Error) throw next;
    return next ?? { by: name };
  };
  return { run, calls };
}

const hangs = (call: { readonly signal: AbortSignal }) =>
  new Promise<never>((_, reject) => call.signal.addEventListener("abort", () => reject(new Error("cut"))));

describe.each(Object.keys(stores))("saga manager over %s", (kind) => {
  async function open(
    definitions: Definition[],
    config: PartialConfig = {},
    given?: Bench,
    more: Partial<SagaManagerOptions> = {},
  ) {
    const bench = given ?? (await (stores[kind] as () => Promise<Bench>)());
    const manager = createSagaManager({
      store: bench.store(),
      definitions,
      participants: {},
      config: resolveConfig(config),
      ports: { clock: bench.clock, random: new SeededRandom(7) },
      ...more,
    });
    await manager.open();
    cleanups.push(() => passTimeUntil(bench.clock, manager.close(0)));
    const until = <Value>(promise: Promise<Value>): Promise<Value> => passTimeUntil(bench.clock, promise);
    return { manager, bench, until };
  }

  const toEnd = async (manager: SagaManager, clock: ManualClock, name: string, input = {}) => {
    const { id } = await passTimeUntil(clock, manager.start(name, input));
    return passTimeUntil(clock, manager.wait(id, 3_600_000));
  };

  it("runs the steps in order and hands outputs on", async () => {
    const definition = saga<{ n: number }>("sum")
      .step("double", { run: ({ input }) => input.n * 2 })
      .parallel((group) =>
        group
          .step("plus", { run: ({ outputs }) => outputs.double + 1 })
          .step("minus", { run: ({ outputs }) => outputs.double - 1 }),
      )
      .step("both", { run: ({ outputs }) => [outputs.plus, outputs.minus] })
      .build();
    const { manager, bench } = await open([definition]);
    const run = await toEnd(manager, bench.clock, "sum", { n: 5 });
    expect(run).toMatchObject({ status: "completed", output: [11, 9], error: null, rollbackStatus: "none" });
    expect(run.steps.map((step) => [step.name, step.status, step.attempts])).toEqual([
      ["double", "completed", 1],
      ["plus", "completed", 1],
      ["minus", "completed", 1],
      ["both", "completed", 1],
    ]);
  });

  it("writes one row per step, the end in the last one", async () => {
    const { manager, bench } = await open([
      saga("three")
        .step("a", { run: () => 1 })
        .step("b", { run: () => 2 })
        .step("c", { run: () => 3 })
        .build(),
    ]);
    const { id } = await toEnd(manager, bench.clock, "three");
    const rows = await manager.journal(id);
    expect(rows.map((row) => row.records.map((record) => record.kind))).toEqual([
      ["dispatched"],
      ["completed", "dispatched"],
      ["completed", "dispatched"],
      ["completed", "finished"],
    ]);
  });

  it("retries with durable backoff under one idempotency key", async () => {
    const step = scripted("a", [], [new Error("first"), new Error("second"), { ok: true }]);
    const { manager, bench } = await open([saga("s").step("a", { run: step.run }).build()], {
      recovery: { jitter: "none", initialDelayMs: 100 },
    });
    const run = await toEnd(manager, bench.clock, "s");
    expect(run).toMatchObject({ status: "completed", output: { ok: true } });
    expect(step.calls.map((call) => call.attempt)).toEqual([1, 2, 3]);
    expect(new Set(step.calls.map((call) => call.idempotencyKey))).toEqual(new Set([`${run.id}:a`]));
    expect((run.endedAt ?? 0) - run.createdAt).toBeGreaterThanOrEqual(300);
  });

  it("compensates completed steps in reverse when a later one is refused, and leaves the refused one alone", async () => {
    const log: string[] = [];
    const step = (name: string) => ({ run: scripted(name, log).run, compensate: () => log.push(`undo ${name}`) });
    const definition = saga("s")
      .step("a", step("a"))
      .step("b", step("b"))
      .step("c", {
        run: scripted("c", log, [new BusinessRefusal("no funds", "declined")]).run,
        compensate: () => log.push("undo c"),
      })
      .build();
    const { manager, bench } = await open([definition]);
    const run = await toEnd(manager, bench.clock, "s");
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
    ]);
  });

  it("compensates a step that timed out as unknown, under its forward key", async () => {
    const compensations: unknown[] = [];
    const definition = saga("s")
      .step("slow", {
        run: hangs,
        timeout: "2s",
        retry: { maxAttempts: 1 },
        compensate: ({ outcome, output, forwardKey, idempotencyKey, runId }) =>
          compensations.push([outcome, output, forwardKey, idempotencyKey, runId]),
      })
      .build();
    const { manager, bench } = await open([definition]);
    const run = await toEnd(manager, bench.clock, "s");
    expect(run).toMatchObject({ status: "compensated", error: { code: "timeout" }, steps: [{ status: "unknown" }] });
    expect(compensations).toEqual([["unknown", null, `${run.id}:slow`, `${run.id}:slow:compensate`, run.id]]);
  });

  it("lets a sibling finish its attempt before anything is undone, and does not retry it", async () => {
    const log: string[] = [];
    const definition = saga("s")
      .parallel((group) =>
        group
          .step("fails", {
            run: () => {
              throw new BusinessRefusal("no");
            },
          })
          .step("slow", {
            run: async ({ signal }) => {
              log.push("slow starts");
              await new Promise<void>((resolve) => bench.clock.after(500, resolve));
              log.push(signal.aborted ? "slow was cut" : "slow ends");
              return 1;
            },
            compensate: () => log.push("undo slow"),
          }),
      )
      .build();
    const { manager, bench } = await open([definition]);
    expect(await toEnd(manager, bench.clock, "s")).toMatchObject({ status: "compensated" });
    expect(log).toEqual(["slow starts", "slow ends", "undo slow"]);
  });

  it("unwinds at the run's timeout, and does not bound the compensations by it", async () => {
    let undone = 0;
    const definition = saga("s", { timeout: "10s" })
      .step("a", {
        run: () => 1,
        compensate: async () => {
          await new Promise<void>((resolve) => bench.clock.after(20_000, resolve));
          undone += 1;
        },
      })
      .step("b", { run: hangs, timeout: "1h" })
      .build();
    const { manager, bench } = await open([definition]);
    const run = await toEnd(manager, bench.clock, "s");
    expect(run).toMatchObject({ status: "compensated", error: { code: "run-timeout" } });
    expect(undone).toBe(1);
    expect((run.endedAt ?? 0) - run.createdAt).toBeGreaterThanOrEqual(30_000);
  });

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
    const { manager, bench, until } = await open([definition]);
    const { id } = await until(manager.start("s", {}));
    const status = async (wanted: string): Promise<void> => {
      while ((await manager.get(id)).status !== wanted)
        await new Promise<void>((resolve) => bench.clock.after(50, resolve));
    };
    await until(status("stuck"));
    expect(await manager.get(id)).toMatchObject({ rollbackStatus: "incomplete", error: { message: "cannot refund" } });
    await until(manager.act(id, "resume", { reason: "bank says yes", actor: "ann" }));
    while (undo.calls.length < 2) await until(new Promise<void>((resolve) => bench.clock.after(50, resolve)));
    await until(status("stuck"));
    await until(manager.act(id, "skip", { reason: "refunded by hand", actor: "ann" }));
    expect(await until(manager.wait(id, 60_000))).toMatchObject({
      status: "compensated",
      rollbackStatus: "incomplete",
    });
    expect((await manager.journal(id)).flatMap((row) => row.records)).toContainEqual({
      kind: "compensation-skipped",
      step: "pay",
      actor: "ann",
      reason: "refunded by hand",
    });
    await expect(until(manager.act(id, "resume", { reason: "again", actor: "ann" }))).rejects.toMatchObject({
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
    const { manager, bench, until } = await open([definition]);
    const { id } = await until(manager.start("s", {}));
    await until(
      (async () => {
        while ((await manager.get(id)).status !== "stuck")
          await new Promise<void>((resolve) => bench.clock.after(50, resolve));
      })(),
    );
    await expect(until(manager.act(id, "cancel", { reason: "late", actor: "bob" }))).rejects.toMatchObject({
      code: "verb-forbidden",
    });
    await until(manager.act(id, "abandon", { reason: "by hand", actor: "bob" }));
    expect(await until(manager.wait(id, 60_000))).toMatchObject({ status: "failed", error: { code: "abandoned" } });
    expect(log).toEqual(["after", "after", "after", "after"]);
  });

  it("cancels: the attempt under way ends, what was done is undone, and the run ends cancelled", async () => {
    const log: string[] = [];
    const definition = saga("s")
      .step("a", { run: () => 1, compensate: () => log.push("undo a") })
      .step("b", {
        run: async () => {
          await new Promise<void>((resolve) => bench.clock.after(5_000, resolve));
          log.push("b done");
          return 2;
        },
        compensate: () => log.push("undo b"),
      })
      .step("c", { run: () => log.push("c") })
      .build();
    const { manager, bench, until } = await open([definition]);
    const { id } = await until(manager.start("s", {}));
    await until(new Promise<void>((resolve) => bench.clock.after(1_000, resolve)));
    const verb = { reason: "changed my mind", actor: "ann", idempotencyKey: "k" };
    await until(manager.act(id, "cancel", verb));
    await until(manager.act(id, "cancel", verb));
    expect(await until(manager.wait(id, 60_000))).toMatchObject({ status: "cancelled", rollbackStatus: "done" });
    expect(log).toEqual(["b done", "undo b", "undo a"]);
    expect(
      (await manager.journal(id)).flatMap((row) => row.records).filter((record) => record.kind === "cancel-requested"),
    ).toHaveLength(1);
  });

  it("retries forever under strategy retry, until the run's timeout, then fails", async () => {
    const step = scripted(
      "a",
      [],
      Array.from({ length: 1_000 }, () => new Error("down")),
    );
    const definition = saga("s", { timeout: "60s" })
      .step("a", { run: step.run, compensate: () => expect.unreachable("nothing is undone") })
      .build();
    const { manager, bench } = await open([definition], {
      recovery: { strategy: "retry", maxAttempts: 2, maxDelayMs: 5_000, jitter: "none" },
    });
    expect(await toEnd(manager, bench.clock, "s")).toMatchObject({ status: "failed", error: { code: "run-timeout" } });
    expect(step.calls.length).toBeGreaterThan(10);
  });

  it("makes one attempt and fails with recovery off", async () => {
    const step = scripted("a", [], [new Error("down")]);
    const { manager, bench } = await open([saga("s").step("a", { run: step.run }).build()], {
      recovery: { enabled: false },
    });
    expect(await toEnd(manager, bench.clock, "s")).toMatchObject({ status: "failed" });
    expect(step.calls).toHaveLength(1);
  });

  it("finishes after a crash what another process had begun, without repeating what was done", async () => {
    const log: string[] = [];
    const bench = await (stores[kind] as () => Promise<Bench>)();
    const definition = (hanging: boolean) =>
      saga("s")
        .step("a", { run: scripted("a", log).run })
        .step("b", { run: hanging ? hangs : scripted("b again", log).run, timeout: "1h" })
        .build();
    const first = await open([definition(true)], {}, bench);
    const { id } = await passTimeUntil(bench.clock, first.manager.start("s", {}));
    await passTimeUntil(bench.clock, new Promise<void>((resolve) => bench.clock.after(100, resolve)));
    // Closed without grace, the attempt under way is cut off like in a crash; what it did is unknown.
    await passTimeUntil(bench.clock, first.manager.close(0));
    const second = await open([definition(false)], {}, bench);
    const run = await passTimeUntil(bench.clock, second.manager.wait(id, 600_000));
    expect(run).toMatchObject({ status: "completed", steps: [{ attempts: 1 }, { attempts: 2 }] });
    expect(log).toEqual(["a", "b again"]);
  });

  it("hands runs back on close once the attempts under way have ended", async () => {
    const log: string[] = [];
    const bench = await (stores[kind] as () => Promise<Bench>)();
    const definition = saga("s")
      .step("a", {
        run: async () => {
          await new Promise<void>((resolve) => bench.clock.after(1_000, resolve));
          log.push("a done");
        },
      })
      .step("b", { run: () => log.push("b") })
      .build();
    const first = await open([definition], {}, bench);
    const { id } = await passTimeUntil(bench.clock, first.manager.start("s", {}));
    await passTimeUntil(bench.clock, first.manager.close(5_000));
    expect(log).toEqual(["a done"]);
    const second = await open([definition], {}, bench);
    expect(await passTimeUntil(bench.clock, second.manager.wait(id, 60_000))).toMatchObject({
      status: "completed",
      steps: [{ attempts: 1 }, { attempts: 1 }],
    });
  });

  it("gives the same run for the same key, and refuses the key with another input", async () => {
    const { manager, until } = await open([
      saga("s")
        .step("a", { run: () => 1 })
        .build(),
    ]);
    const starts = await until(
      Promise.all(Array.from({ length: 20 }, () => manager.start("s", { b: 1, a: [2] }, { idempotencyKey: "k" }))),
    );
    expect(new Set(starts.map((run) => run.id)).size).toBe(1);
    expect(starts.filter((run) => !run.replayed)).toHaveLength(1);
    await expect(until(manager.start("s", { a: [2], b: 2 }, { idempotencyKey: "k" }))).rejects.toMatchObject({
      code: "idempotency-key-reused",
    });
    expect((await until(manager.start("s", { a: [2], b: 1 }, { idempotencyKey: "k" }))).replayed).toBe(true);
  });

  it("keeps what a step writes into the context: with its result, and on the way by checkpoint", async () => {
    const bench = await (stores[kind] as () => Promise<Bench>)();
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
    const first = await open([definition(true)], manual, bench);
    const { id } = await passTimeUntil(bench.clock, first.manager.start("s", {}));
    await passTimeUntil(bench.clock, new Promise<void>((resolve) => bench.clock.after(100, resolve)));
    await passTimeUntil(bench.clock, first.manager.close(0));
    const second = await open([definition(false)], manual, bench);
    const run = await passTimeUntil(bench.clock, second.manager.wait(id, 600_000));
    expect(seen).toEqual([{ from: { a: 1 } }, { from: { a: 1 }, progress: 1 }]);
    expect(run.context).toEqual({ from: { a: 1, b: 2 }, progress: 1 });
    expect(await second.manager.checkpoints(id)).toMatchObject([{ n: 2 }, { n: 1, context: { progress: 1 } }]);
  });

  it.each([
    ["time", { strategy: "time", interval: 1_000 }, 2],
    ["step", { strategy: "step" }, 4],
    ["count", { strategy: "count", interval: 2 }, 2],
    ["off", { enabled: false }, 0],
  ] as const)("takes snapshots by strategy %s", async (_, checkpoint, snapshots) => {
    const write = async ({ context, stage }: AnyCall) => {
      context.patch({ [stage]: true });
      await new Promise<void>((resolve) => bench.clock.after(800, resolve));
    };
    const definition = saga("s")
      .step("a", { run: write })
      .step("b", { run: write })
      .step("c", { run: write })
      .step("d", { run: write })
      .build();
    const { manager, bench } = await open([definition], { checkpoint });
    const { id } = await toEnd(manager, bench.clock, "s");
    const taken = await manager.checkpoints(id);
    expect(taken).toHaveLength(snapshots);
    if (snapshots > 0) expect(taken[0]?.context).toEqual({ a: true, b: true, c: true, d: true });
  });

  it("watches a run from its first row to its end", async () => {
    const { manager, until } = await open([
      saga("s")
        .step("a", { run: () => 1 })
        .step("b", { run: () => 2 })
        .build(),
    ]);
    const { id } = await until(manager.start("s", {}));
    const kinds: string[] = [];
    const watched = (async () => {
      for await (const event of manager.watch(id, new AbortController().signal))
        kinds.push(...event.rows.flatMap((row) => row.records.map((record) => record.kind)));
    })();
    await until(watched);
    expect(kinds).toEqual(["dispatched", "completed", "dispatched", "completed", "finished"]);
  });

  it("leaves runs alone whose definition it lacks, and says so", async () => {
    const bench = await (stores[kind] as () => Promise<Bench>)();
    const first = await open([saga("old").step("a", { run: hangs, timeout: "1h" }).build()], {}, bench);
    const { id } = await passTimeUntil(bench.clock, first.manager.start("old", {}));
    await passTimeUntil(bench.clock, first.manager.close(0));
    const second = await open(
      [
        saga("new")
          .step("a", { run: () => 1 })
          .build(),
      ],
      {},
      bench,
    );
    await passTimeUntil(bench.clock, new Promise<void>((resolve) => bench.clock.after(60_000, resolve)));
    expect(await second.manager.get(id)).toMatchObject({ status: "running", steps: [{ name: "a" }] });
    expect((await second.manager.health()).detail).toMatch(/old@/);
  });

  it("says what is wrong with a start", async () => {
    const definition = saga<{ n: number }>("s", {
      checkInput: (input) => {
        if (typeof (input as { n?: unknown }).n !== "number") throw new Error("n must be a number");
      },
    })
      .step("a", { run: () => 1 })
      .build();
    const { manager, until } = await open([definition, batch("nightly", { source: { entity: "Order" } })]);
    await expect(manager.start("nope", {})).rejects.toMatchObject({
      code: "definition-unknown",
      message: expect.stringContaining("known are: s, nightly"),
    });
    await expect(manager.start("s", { n: "1" })).rejects.toMatchObject({
      code: "input-invalid",
      message: expect.stringContaining("n must be a number"),
    });
    await expect(manager.start("s", [1])).rejects.toMatchObject({ code: "input-invalid" });
    await expect(manager.start("s", { n: 1, text: "\u0000" })).rejects.toMatchObject({ code: "input-invalid" });
    await expect(manager.start("s", JSON.parse('{"__proto__":{"n":1},"n":1}'))).rejects.toMatchObject({
      code: "input-invalid",
    });
    await expect(manager.start("nightly", {})).rejects.toMatchObject({ code: "feature-unavailable" });
    await expect(until(manager.get("no-such-run"))).rejects.toMatchObject({ code: "run-not-found" });
  });
});
