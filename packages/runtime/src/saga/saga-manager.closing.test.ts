import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolveConfig } from "../config.js";
import { createContextSessions } from "../session/context.js";
import { SeededRandom } from "../simulation/seeded-random.js";
import { createMemoryRunStore, createMemorySessionStore, createMemoryWorld } from "../stores/memory/index.js";
import { hangs, SagaBench, scripted } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";
import { createSagaManager } from "./saga-manager.js";

describe("a saga manager, opening and closing", () => {
  let bench: SagaBench;
  beforeEach(async () => {
    bench = await SagaBench.create("memory");
  });
  afterEach(() => bench.close());

  it("leaves no timer behind: of its grace, of parked runs, of those who wait", async () => {
    const slow = saga("slow")
      .step("a", { run: () => bench.later(1_000) })
      .build();
    const failing = saga("failing")
      .step("a", { run: scripted("a", [], [new Error("no"), new Error("no")]).run })
      .build();
    const recovery = { initialDelayMs: 60_000, jitter: "none" } as const;
    const manager = await bench.open([slow, failing], { recovery });
    const parked = await bench.until(manager.start("failing", {}));
    await bench.toStatus(manager, parked.id, "waiting");
    await bench.until(manager.start("slow", {}));
    const waiting = manager.wait(parked.id, 600_000).catch((error: unknown) => error);
    await bench.pass(100);
    await bench.until(manager.close(10_000));
    expect(bench.clock.pending).toBe(0);
    await waiting;
  });

  it("leaves no timer behind when nobody waits any more", async () => {
    const manager = await bench.open([
      saga("s")
        .step("a", { run: () => 1 })
        .build(),
    ]);
    const idle = bench.clock.pending;
    const { id } = await bench.until(manager.start("s", {}));
    await bench.until(manager.wait(id, 60_000));
    await expect(bench.until(manager.wait("nobody", 60_000))).rejects.toMatchObject({ code: "run-not-found" });
    expect(bench.clock.pending).toBeLessThanOrEqual(idle);
  });

  it("opens no more once it was closed", async () => {
    const config = resolveConfig({});
    const ports = { clock: bench.clock, random: new SeededRandom(1) };
    const store = createMemoryRunStore({ clock: bench.clock });
    const manager = createSagaManager({ store, definitions: [], participants: {}, config, ports });
    await manager.close();
    await expect(manager.open()).rejects.toMatchObject({ code: "runtime-stopped" });
    expect(bench.clock.pending).toBe(0);
  });

  it("keeps what a step wrote on the way when it hands the run back between two attempts", async () => {
    const seen: unknown[] = [];
    const definition = saga("s")
      .step("a", {
        run: ({ context, attempt }) => {
          seen.push(context.get());
          context.patch({ progress: attempt });
          if (attempt < 3) throw new Error("not yet");
        },
      })
      .build();
    const recovery = { initialDelayMs: 3_000, maxDelayMs: 30_000, backoff: "exponential", jitter: "none" } as const;
    const first = await bench.open([definition], { recovery });
    const { id } = await bench.until(first.start("s", {}));
    await bench.pass(1_000);
    await bench.until(first.close(5_000));
    const second = await bench.open([definition], { recovery });
    const run = await bench.until(second.wait(id, 600_000));
    // The second attempt's retry is far enough away for the run to be parked.
    expect(seen).toEqual([{}, { progress: 1 }, { progress: 2 }]);
    expect(run).toMatchObject({ status: "completed", context: { progress: 3 } });
  });

  it("can be opened and closed while runs are started, again and again", async () => {
    const { clock } = bench;
    const world = createMemoryWorld();
    const definition = saga("s")
      .step("a", { run: () => bench.later(30) })
      .step("b", { run: () => bench.later(30) })
      .build();
    const config = resolveConfig({ recovery: { leaseMs: 2_000 } });
    const random = new SeededRandom(11);
    const open = () => {
      const store = createMemoryRunStore({ clock, world, workers: "many" });
      const ports = { clock, random };
      return createSagaManager({ store, definitions: [definition], participants: {}, config, ports });
    };
    const started = new Set<string>();
    const life = async (): Promise<void> => {
      await bench.later(random.below(5_000));
      const manager = open();
      const opened = manager.open();
      const starts = Array.from({ length: 3 }, async () => {
        await bench.later(random.below(60));
        const run = await manager.start("s", {}).catch(() => null);
        if (run !== null) started.add(run.id);
      });
      await bench.later(random.below(80));
      await Promise.all([manager.close(random.below(100)), manager.close(), ...starts]);
      await opened;
    };
    await bench.until(Promise.all(Array.from({ length: 200 }, life)));
    expect(clock.pending).toBe(0);
    expect(started.size).toBeGreaterThan(200);
    const last = open();
    await bench.until(last.open());
    for (const id of started) expect(await bench.until(last.wait(id, 600_000))).toMatchObject({ status: "completed" });
    await bench.until(last.close());
    expect(clock.pending).toBe(0);
  });

  it("drives a run once that it finds twice while the run's context is read", async () => {
    const calls: number[] = [];
    const definition = (hanging: boolean) =>
      saga("s")
        .step("a", {
          timeout: "1h",
          run: async ({ attempt, signal }) => {
            if (hanging) return hangs({ signal });
            calls.push(attempt);
            await bench.later(20_000);
          },
        })
        .build();
    const world = createMemoryWorld();
    const store = () => createMemoryRunStore({ clock: bench.clock, world });
    const first = await bench.open([definition(true)], {}, { store: store() });
    const { id } = await bench.until(first.start("s", {}));
    await bench.pass(100);
    await bench.until(first.close(0));
    const inner = store();
    const sessions = createMemorySessionStore({ clock: bench.clock });
    await sessions.open();
    let claims = 0;
    const second = await bench.open(
      [definition(false)],
      {},
      {
        // The first claim's reply is lost, so that a renewal finds the run; and then the next one does.
        store: {
          ...inner,
          claim: async (request) => {
            const claimed = await inner.claim(request);
            claims += 1;
            if (claims === 1) throw new Error("reply lost");
            return claimed;
          },
        },
        contexts: Object.create(createContextSessions({ store: sessions, config: resolveConfig().context }), {
          load: { value: () => bench.later(2_500) },
        }),
      },
    );
    expect(await bench.until(second.wait(id, 600_000))).toMatchObject({ status: "completed" });
    expect(calls).toEqual([2]);
  });
});
