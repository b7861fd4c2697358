import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RuntimeError } from "../errors.js";
import { SeededRandom } from "../simulation/seeded-random.js";
import { createMemoryRunStore, createMemoryWorld } from "../stores/memory/index.js";
import { SagaBench } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";

describe("a saga manager, losing its runs to another one", () => {
  let bench: SagaBench;
  beforeEach(async () => {
    bench = await SagaBench.create("memory");
  });
  afterEach(() => bench.close());

  it("does not drive a run whose start is answered after it was taken over", async () => {
    const performed: string[] = [];
    const definition = (by: string) =>
      saga("s")
        .step("a", {
          timeout: "10m",
          run: async () => {
            performed.push(by);
            await bench.later(60_000);
          },
        })
        .build();
    const world = createMemoryWorld();
    const store = () => createMemoryRunStore({ clock: bench.clock, world, workers: "many" });
    const cut = { from: Number.POSITIVE_INFINITY, to: Number.POSITIVE_INFINITY };
    const inner = store();
    const first = await bench.open(
      [definition("first")],
      {},
      {
        store: {
          ...inner,
          create: async (runs) => {
            const created = await inner.create(runs);
            await bench.later(20_000);
            return created;
          },
          renew: async (request) => {
            const now = bench.clock.now();
            if (now >= cut.from && now < cut.to) throw new RuntimeError("store-unavailable", "cut off");
            return inner.renew(request);
          },
        },
      },
    );
    Object.assign(cut, { from: bench.clock.now(), to: bench.clock.now() + 15_000 });
    const starting = first.start("s", {});
    // Chance of its own: two workers with one id would be one.
    const ports = { clock: bench.clock, random: new SeededRandom(8) };
    const second = await bench.open([definition("second")], {}, { store: store(), ports });
    const { id } = await bench.until(starting);
    // It is active again, under a new id.
    expect(await bench.until(first.health())).toMatchObject({ worker: "active" });
    expect(await bench.until(second.wait(id, 600_000))).toMatchObject({ status: "completed" });
    expect(performed).toEqual(["second"]);
  });

  it("does not say that a checkpoint is durable whose row was turned away", async () => {
    const told: unknown[] = [];
    const definition = saga("s")
      .step("a", {
        run: async ({ context, attempt }) => {
          context.patch({ progress: attempt });
          await context.checkpoint().then(
            () => told.push("durable"),
            (error: unknown) => told.push(error instanceof RuntimeError ? error.code : error),
          );
        },
      })
      .build();
    const inner = createMemoryRunStore({ clock: bench.clock });
    let turnedAway = false;
    const manager = await bench.open(
      [definition],
      {},
      {
        store: {
          ...inner,
          append: async (appends) => {
            if (turnedAway || appends.every((append) => append.checkpoint === undefined)) return inner.append(appends);
            turnedAway = true;
            return appends.map(() => ({ kind: "lease-lost" }) as const);
          },
        },
      },
    );
    expect(await bench.toEnd(manager, "s")).toMatchObject({ status: "completed", context: { progress: 2 } });
    expect(told).toEqual(["lease-lost", "durable"]);
  });
});
