import { createSagaManager, resolveConfig, type SagaManager, saga } from "@clean-arch/runtime";
import { createPostgresRunStore } from "@clean-arch/runtime/postgres";
import { serveBatches } from "../batch/contender.js";
import { spread } from "../statistics.js";

/** Ours on PostgreSQL with the settings that it has by default; synchronous_commit=on. A workflow sleeps until a time and then has one step. */
const sleeper = saga<{ until: string }>("sleeper", { timeout: "2000h" })
  .sleep("rest", { for: ({ input }) => input.until })
  .step("rise", { run: () => ({ awake: true }) })
  .build();
const short = saga("short")
  .step("work", { run: () => ({ done: true }) })
  .build();

const MONTH_MS = 30 * 86_400_000;
const WAIT_MS = 60_000;
/** Starts under way at once, so that they share commits. */
const STARTING = 200;
/** Between the last start and the instant at which they wake, so that all are asleep by then. */
const REST_MS = 10_000;

async function eachOf(count: number, atOnce: number, act: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

/** Median from start to end of runs one after the other, ms. */
async function startMs(manager: SagaManager, count: number): Promise<number> {
  const times: number[] = [];
  await eachOf(count, 1, async () => {
    const begin = performance.now();
    const { id } = await manager.start("short", {});
    const { status } = await manager.wait(id, WAIT_MS);
    times.push(performance.now() - begin);
    if (status !== "completed") throw new Error(`expected run ${id} to be completed, got ${status}`);
  });
  return spread(times).median;
}

async function asleep(manager: SagaManager, expected: number): Promise<void> {
  for (;;) {
    const { runsByStatus } = await manager.metrics();
    if ((runsByStatus.waiting ?? 0) >= expected) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

serveBatches(async ({ databaseUrl }) => {
  const store = createPostgresRunStore({ url: databaseUrl });
  const definitions = [sleeper, short];
  const manager = createSagaManager({ store, definitions, participants: {}, config: resolveConfig() });
  await manager.open();
  return {
    measure: async (scenario) => {
      if (scenario.kind !== "sleepers") throw new Error(`expected a scenario of sleepers, got ${scenario.name}`);
      const { starts, waking } = scenario;
      await startMs(manager, starts);
      const startAloneMs = await startMs(manager, starts);
      const later = new Date(Date.now() + MONTH_MS).toISOString();
      await eachOf(scenario.asleep, STARTING, () => manager.start("sleeper", { until: later }));
      await asleep(manager, scenario.asleep);
      const startBesideMs = await startMs(manager, starts);

      const ids: string[] = [];
      // The instant is known before the last start: those that are started are to be asleep by then.
      const instant = Date.now() + REST_MS + (waking / 1_000) * 1_000;
      const until = new Date(instant).toISOString();
      await eachOf(waking, STARTING, async () => ids.push((await manager.start("sleeper", { until })).id));
      await asleep(manager, scenario.asleep + waking);
      if (Date.now() > instant)
        throw new Error("expected all to be asleep before the instant at which they wake, they were not");
      const ends: number[] = [];
      await eachOf(waking, STARTING, async (n) => {
        const { id, status, endedAt } = await manager.wait(ids[n] ?? "", instant - Date.now() + WAIT_MS);
        if (status !== "completed") throw new Error(`expected run ${id} to be completed, got ${status}`);
        ends.push(endedAt ?? Number.POSITIVE_INFINITY);
      });
      return { startAloneMs, startBesideMs, wakeS: (Math.max(...ends) - instant) / 1_000 };
    },
    close: () => manager.close(),
  };
});
