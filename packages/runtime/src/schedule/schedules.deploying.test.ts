import { describe, expect, it } from "vitest";
import type { RunStore } from "../store/run-store.js";
import { SILENT_MS } from "../store/schedule-store.js";
import { createMemoryRunStore } from "../stores/memory/index.js";
import { atTime, HOUR_MS, instance, MINUTE_MS, report, scheduleOf, ticksRun } from "./schedule-bench.test.support.js";

const START = "2026-05-01T10:00:30Z";

describe("two versions of a service at once", () => {
  it("go by the schedule that was registered last, and the first goes on when the second is gone", () =>
    atTime(START, async (bench) => {
      const old = await instance(bench, [report({ cron: "*/2 * * * *" })]);
      await bench.pass(2 * MINUTE_MS);
      expect(ticksRun(bench)).toEqual(["2026-05-01T10:02Z"]);
      const next = await instance(bench, [report({ cron: "*/3 * * * *" })]);
      await bench.pass(8 * MINUTE_MS);
      expect(ticksRun(bench).slice(1)).toEqual(["03", "06", "09"].map((at) => `2026-05-01T10:${at}Z`));
      expect(await scheduleOf(old)).toMatchObject({ cron: "*/3 * * * *", idle: null });

      await bench.until(next.close());
      await bench.pass(SILENT_MS + MINUTE_MS);
      expect(await scheduleOf(old)).toMatchObject({ cron: "*/2 * * * *" });
      await bench.pass(2 * MINUTE_MS);
      expect(ticksRun(bench).slice(4)).toEqual(["2026-05-01T10:14Z"]);
    }));

  it("begin no runs when the newer one has no schedule any more, which is shown", () =>
    atTime(START, async (bench) => {
      await instance(bench, [report({ cron: "* * * * *" })]);
      await bench.pass(MINUTE_MS);
      const next = await instance(bench, [report(undefined)]);
      await bench.pass(10 * MINUTE_MS);
      expect(ticksRun(bench)).toEqual(["2026-05-01T10:01Z"]);
      expect(await scheduleOf(next)).toMatchObject({
        ...{ active: false, nextRuns: [], idle: "its definition has no schedule any more" },
      });
    }));

  it("say of a schedule that nobody has any more since when it is so", () =>
    atTime(START, async (bench) => {
      const old = await instance(bench, [report({ cron: "0 0 1 1 *" })]);
      await bench.until(old.close());
      const other = await instance(bench, []);
      await bench.pass(SILENT_MS + 1_000);
      expect((await scheduleOf(other)).idle).toMatch(
        /no instance with this schedule has been there since 2026-05-01T10:00/,
      );
    }));
});

/** A store whose clock runs that far from the process's. */
function shifted(bench: Parameters<typeof instance>[0], shift: { ms: number }): () => RunStore {
  const clock = { ...bench.clock, now: () => bench.clock.now() + shift.ms };
  return () => createMemoryRunStore({ clock, world: bench.world, workers: "many" });
}

describe("a store's clock", () => {
  it("that is set back lets ticks come again, and none has a second run", () =>
    atTime(START, async (bench) => {
      const shift = { ms: 0 };
      const manager = await instance(bench, [report({ cron: "* * * * *" })], shifted(bench, shift));
      await bench.pass(5 * MINUTE_MS);
      expect(ticksRun(bench)).toHaveLength(5);
      shift.ms = -3 * MINUTE_MS;
      await bench.pass(30_000);
      expect((await scheduleOf(manager)).note).toMatchObject({ kind: "clock" });
      await bench.pass(5 * MINUTE_MS);
      expect(ticksRun(bench)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((n) => `2026-05-01T10:0${n}Z`));
    }));

  it("that is set back a little is waited for", () =>
    atTime(START, async (bench) => {
      const shift = { ms: 0 };
      const manager = await instance(bench, [report({ cron: "* * * * *" })], shifted(bench, shift));
      await bench.pass(MINUTE_MS - 20_000);
      shift.ms = -40_000;
      await bench.pass(2 * MINUTE_MS);
      expect(ticksRun(bench)).toEqual(["2026-05-01T10:01Z", "2026-05-01T10:02Z"]);
      expect(await scheduleOf(manager)).toMatchObject({ note: null });
    }));

  it("that is set forward has missed what lies between, and is noticed within the nap", () =>
    atTime(START, async (bench) => {
      const shift = { ms: 0 };
      const manager = await instance(bench, [report({ cron: "0 * * * *" })], shifted(bench, shift));
      await bench.pass(1_000);
      shift.ms = 5 * HOUR_MS - 40_000;
      await bench.pass(20_000);
      expect(ticksRun(bench)).toEqual(["2026-05-01T15:00Z"]);
      expect(await scheduleOf(manager)).toMatchObject({ missed: 4 });
      shift.ms += 2 * HOUR_MS + 10 * MINUTE_MS;
      await bench.pass(20_000);
      expect(ticksRun(bench)).toHaveLength(1);
      expect(await scheduleOf(manager)).toMatchObject({ missed: 6, lastTick: Date.parse("2026-05-01T17:00Z") });
    }));
});

describe("a store that does not answer", () => {
  it("is waited for, and what came meanwhile is made up for", () =>
    atTime(START, async (bench) => {
      let isDown = false;
      const wrap = (store: RunStore): RunStore => {
        const schedules = store.schedules ?? expect.fail("expected schedules");
        const register: typeof schedules.register = async (registrations, how) => {
          if (isDown) throw new Error("down");
          return schedules.register(registrations, how);
        };
        return { ...store, schedules: { ...schedules, register } };
      };
      const manager = await instance(bench, [report({ cron: "* * * * *", catchUp: true })], wrap);
      await bench.pass(MINUTE_MS);
      isDown = true;
      await bench.pass(5 * MINUTE_MS);
      expect(ticksRun(bench)).toHaveLength(1);
      isDown = false;
      await bench.pass(10_000);
      expect(ticksRun(bench)).toEqual([1, 2, 3, 4, 5, 6].map((n) => `2026-05-01T10:0${n}Z`));
      expect(await scheduleOf(manager)).toMatchObject({ missed: 0 });
    }));
});
