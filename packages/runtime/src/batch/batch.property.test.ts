import { describe, expect, it } from "vitest";
import { BusinessRefusal } from "../errors.js";
import type { Json } from "../json.js";
import type { SagaDefinition, SourceChoice } from "../saga/definition.js";
import type { SagaManager } from "../saga/manager.js";
import { SeededRandom } from "../simulation/seeded-random.js";
import { createMemoryRunStore } from "../stores/memory/index.js";
import { batch } from "./batch.js";
import { BatchBench, numbers } from "./batch-bench.test.support.js";
import { type MortalStore, mortal } from "./mortal-store.test.support.js";
import { iteratorSource } from "./sources/iterator.js";

const SEEDS = 40;

/** What one seed draws. */
interface Plan {
  readonly items: number;
  readonly chunkSize: number;
  readonly concurrency: number;
  readonly source: SourceChoice;
  readonly refused: ReadonlySet<string>;
  readonly flaky: ReadonlySet<string>;
  readonly slow: number;
}

function planOf(random: SeededRandom): Plan {
  const items = random.below(120);
  const keys = numbers(items).map(String);
  const some = (part: number): ReadonlySet<string> => new Set(keys.filter(() => random.chance(part)));
  return {
    ...{ items, chunkSize: 1 + random.below(12), concurrency: 1 + random.below(5), slow: random.below(400) },
    source: random.chance(0.3) ? iteratorSource(() => numbers(items)) : { items: numbers(items) },
    ...{ refused: some(0.05), flaky: some(0.1) },
  };
}

interface Instance {
  readonly manager: SagaManager;
  readonly mortal: MortalStore;
  isDead: boolean;
}

/** One batch under deaths, pauses, resumes and failing items, by several instances; judged when it has ended. */
async function judge(seed: number): Promise<void> {
  const bench = await BatchBench.create();
  const random = new SeededRandom(seed);
  const plan = planOf(random);
  /** How often each item was begun. */
  const begun = new Map<string, number>();
  let deaths = 0;
  try {
    const instances: Instance[] = [];
    const { clock, world } = bench.saga;
    const definitionOf = (isDead: () => boolean): SagaDefinition =>
      batch("judged", {
        ...{ source: plan.source as SourceChoice<number>, chunkSize: plan.chunkSize, concurrency: plan.concurrency },
        ...{ maxFailures: null, timeout: "1000h", itemTimeout: "10h", retry: { initialDelay: "10ms" } },
        each: async ({ key, attempt, item }: { key: string; attempt: number; item: Json }) => {
          if (isDead()) return new Promise(() => {});
          expect(String(item)).toBe(key);
          begun.set(key, (begun.get(key) ?? 0) + 1);
          if (plan.slow > 0) await bench.saga.later(plan.slow);
          if (isDead()) return new Promise(() => {});
          if (plan.refused.has(key)) throw new BusinessRefusal("never");
          if (plan.flaky.has(key) && attempt < 3) throw new Error("not yet");
          return undefined;
        },
      });
    const live = async (): Promise<Instance> => {
      const guarded = mortal(createMemoryRunStore({ clock, world, workers: "many" }));
      const instance: { manager: SagaManager; mortal: MortalStore; isDead: boolean } = {
        manager: await bench.open([definitionOf(() => instance?.isDead ?? false)], { store: guarded.store }),
        mortal: guarded,
        isDead: false,
      };
      instances.push(instance);
      return instance;
    };
    const first = await live();
    if (random.chance(0.6)) await live();
    const id = await bench.start(first.manager, "judged");
    for (let turn = 0; turn < 2_000; turn++) {
      const alive = instances.filter(({ isDead }) => !isDead);
      const [one] = alive;
      const run = one === undefined ? undefined : await bench.saga.until(one.manager.get(id));
      if (run?.status === "completed") break;
      expect(["pending", "running", "waiting", "paused", "stuck"], `seed ${seed}`).toContain(run?.status ?? "waiting");
      if (one !== undefined && deaths < 3 && random.chance(0.05)) {
        one.isDead = true;
        one.mortal.die();
        deaths += 1;
      } else if (alive.length < 2 && random.chance(0.3)) await live();
      else if (one !== undefined && random.chance(0.05))
        await bench.act(one.manager, id, run?.status === "paused" ? "resume" : "pause").catch(() => {});
      else if (one !== undefined && run?.status === "paused")
        await bench.act(one.manager, id, "resume").catch(() => {});
      await bench.saga.pass(50 + random.below(700));
    }
    const store = createMemoryRunStore({ clock, world, workers: "many" });
    await store.open();
    const run = await store.get(id);
    const refused = plan.refused.size;
    const output = { items: plan.items, done: plan.items - refused, failed: refused, skipped: 0 };
    expect(run, `seed ${seed}`).toMatchObject({ status: "completed", output });
    // No item is lost, and no more are begun again than were in hand of the dead, retries apart.
    expect([...begun.keys()].sort(), `seed ${seed}`).toEqual(numbers(plan.items).map(String).sort());
    const times = [...begun].reduce(
      (sum, [key, count]) => sum + count - (plan.flaky.has(key) && !plan.refused.has(key) ? 3 : 1),
      0,
    );
    const most = deaths * plan.concurrency * plan.chunkSize * 3;
    expect(times, `seed ${seed}`).toBeLessThanOrEqual(most);
    const failures = await store.batches?.failures(id, { limit: 1_000 });
    expect(failures?.items.map(({ key }) => key).sort(), `seed ${seed}`).toEqual([...plan.refused].sort());
    const left = await store.batches?.get(id);
    expect(left, `seed ${seed}`).toMatchObject({ status: "ended", openChunks: 0, ownedChunks: 0, planted: plan.items });
    await store.close();
  } finally {
    await bench.close();
  }
}

describe("a batch, over random sources, failures, deaths and operators", () => {
  it("loses no item, settles none twice, and its counters add up", async () => {
    for (let seed = 1; seed <= SEEDS; seed++) await judge(seed);
  }, 240_000);
});
