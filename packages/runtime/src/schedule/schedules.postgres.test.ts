import { expect, it } from "vitest";
import { silentLogger } from "../log.js";
import { systemPorts } from "../ports.js";
import { SeededRandom } from "../simulation/seeded-random.js";
import type { RunSchedules } from "../store/run-schedules.js";
import { postgresForTests } from "../stores/postgres/throwaway.test.support.js";
import { newRun } from "../testing/run-store-contract/harness.js";
import { schedulesOf } from "../testing/schedule-store/harness.js";
import { MINUTE_MS, report } from "./schedule-bench.test.support.js";
import { Scheduler } from "./scheduler.js";

const { open } = postgresForTests();
const TICKS = 60;
const INSTANCES = 4;

it("schedulers of several instances on one PostgreSQL give each tick one run, also when replies are lost", async () => {
  const under = await open();
  const random = new SeededRandom(3);
  const created: boolean[] = [];
  let [lost, passed] = [0, 0];
  let onDone: () => void = () => {};
  /** What that instance hears of the store. */
  const unreliable = (schedules: RunSchedules): RunSchedules => ({
    ...schedules,
    async tick(tick) {
      const result = await schedules.tick(tick);
      if (result.kind === "started") created.push(result.created);
      if (result.kind === "passed") passed += 1;
      onDone();
      if (!random.chance(0.2)) return result;
      lost += 1;
      throw new Error("the reply was lost");
    },
  });
  const schedulers: Scheduler[] = [];
  for (let n = 0; n < INSTANCES; n++) {
    const store = n === 0 ? under.store : await under.reopen();
    schedulers.push(
      new Scheduler({
        ...{ store: unreliable(schedulesOf(store)), definitions: [report({ cron: "* * * * *", overlap: "skip" })] },
        ...{ ports: systemPorts, logger: silentLogger, isTrusted: () => true, began: () => {}, canceled: () => {} },
        newRun: async (definition, _, key, id) => ({
          ...newRun(0, { id, rootId: id, key, definition: definition.name }),
          claim: null,
        }),
      }),
    );
  }
  const schedules = schedulesOf(under.store);
  const lastTick = async (): Promise<number | null> => (await schedules.list()).rows[0]?.lastTick ?? null;
  try {
    await schedulersBegun(schedulers, schedules);
    // From minute to minute of the store's clock, with everybody looking at once.
    const since = (await schedules.list()).rows[0]?.since ?? expect.fail("expected the schedule to be registered");
    let next = since - (since % MINUTE_MS);
    await under.advance(next + 100 - since);
    for (let n = 0; n < TICKS; n++) {
      next += MINUTE_MS;
      await under.query(
        `update "${under.schema}".runs set status = 'completed', ended_at = 1, ready = false, wake_at = null`,
      );
      await under.advance(MINUTE_MS);
      while ((await lastTick()) !== next) {
        const done = new Promise<void>((resolve) => {
          onDone = resolve;
        });
        for (const scheduler of schedulers) scheduler.poke();
        await done;
      }
    }
  } finally {
    await Promise.all(schedulers.map((scheduler) => scheduler.stop()));
  }
  const [row] = (await schedules.list()).rows;
  const { items } = await under.store.list({ limit: 200 });
  await under.close();
  expect(items).toHaveLength(TICKS);
  expect(new Set(items.map(({ key }) => key)).size).toBe(TICKS);
  expect(created).toEqual(Array(TICKS).fill(true));
  expect(row).toMatchObject({ missed: 0, skipped: 0, revision: 1 });
  expect(lost).toBeGreaterThan(0);
  expect(passed).toBeGreaterThan(0);
}, 120_000);

async function schedulersBegun(schedulers: readonly Scheduler[], schedules: RunSchedules): Promise<void> {
  for (const scheduler of schedulers) scheduler.start();
  while ((await schedules.list()).rows.length === 0);
}
