import { describe, expect, it } from "vitest";
import type { ScheduleOptions } from "./schedule-definition.js";
import { ScheduleWorld } from "./schedule-world.test.support.js";

const SEEDS = Number(process.env.SCHEDULE_SEEDS ?? 5);
const MINUTES = 80;

const policies: readonly ScheduleOptions[] = [
  { cron: "* * * * *", overlap: "skip" },
  { cron: "* * * * *", overlap: "queue" },
  { cron: "* * * * *", overlap: "cancel" },
  { cron: "* * * * *", overlap: "skip", catchUp: true },
  { cron: "* * * * *", overlap: "queue", catchUp: 5 },
];

describe("schedulers of several processes, where everything fails", () => {
  it.each(policies)(
    "give each tick one run or say that it has none, and never let two runs go on: %o",
    async (options) => {
      const total = { ticks: 0, runs: 0, skipped: 0, missed: 0 };
      const faults = new Map<string, number>();
      for (let seed = 1; seed <= SEEDS; seed++) {
        const world = new ScheduleWorld(seed, options);
        const { row, ticks, runs, mostOpen, foundAgain } = await world.run(MINUTES);
        const waiting = row.waiting === null ? 0 : 1;
        const told = `seed ${seed}: ${JSON.stringify(row)}`;
        expect(runs + row.skipped + row.missed + waiting, told).toBe(ticks);
        expect(mostOpen, told).toBe(1);
        // The tick's own write finds out who is first; the run's key is only behind it.
        expect(foundAgain, told).toBe(0);
        if (options.catchUp === true) expect(row.missed, told).toBe(0);
        total.ticks += ticks;
        total.runs += runs;
        total.skipped += row.skipped;
        total.missed += row.missed;
        for (const [fault, count] of Object.entries(world.faults)) faults.set(fault, (faults.get(fault) ?? 0) + count);
      }
      console.info(
        `${JSON.stringify(options)}: ${JSON.stringify(total)}; ${JSON.stringify(Object.fromEntries(faults))}`,
      );
      expect(total.ticks).toBeGreaterThan(SEEDS * (MINUTES / 2));
      for (const [fault, count] of faults) expect(count, fault).toBeGreaterThan(SEEDS);
      if (options.catchUp === undefined) expect(total.missed).toBeGreaterThan(0);
    },
    60_000,
  );
});
