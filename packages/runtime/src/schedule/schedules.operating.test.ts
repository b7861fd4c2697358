import { describe, expect, it } from "vitest";
import { STORE_KINDS } from "../testing/saga-bench.test.support.js";
import { atTime, BY, HOUR_MS, MINUTE_MS, report, runsOf, scheduleOf, ticksRun } from "./schedule-bench.test.support.js";
import type { Backfill } from "./schedule-requests.js";

const START = "2026-05-01T10:00:30Z";

describe.each(STORE_KINDS)("a backfill on %s", (kind) => {
  it("starts a run for each tick of a range, oldest first, with its input", () =>
    atTime(
      START,
      async (bench) => {
        const inputs: unknown[] = [];
        const manager = await bench.open([report({ cron: "0 * * * *", input: (tick) => ({ tick }) }, 0, inputs)]);
        const range = { from: Date.parse("2026-05-01T06:00Z"), to: Date.parse("2026-05-01T09:59Z") };
        const { runs, next } = await bench.until(manager.backfill("report", range));
        expect(runs.map(({ tick }) => new Date(tick).getUTCHours())).toEqual([6, 7, 8, 9]);
        expect(runs.every(({ replayed }) => !replayed)).toBe(true);
        expect(next).toBeNull();
        await bench.pass(2_000);
        expect(inputs).toEqual(["06", "07", "08", "09"].map((hour) => ({ tick: `2026-05-01T${hour}:00:00.000Z` })));
        const found = await runsOf(manager);
        expect(found.map(({ id, status }) => [id, status])).toEqual(runs.map(({ run }) => [run, "completed"]));
      },
      kind,
    ));
});

describe("a backfill", () => {
  it("begins no tick twice, neither its own nor one of the schedule", () =>
    atTime(START, async (bench) => {
      const manager = await bench.open([report({ cron: "* * * * *" })]);
      await bench.pass(2 * MINUTE_MS);
      const range = { from: Date.parse("2026-05-01T09:59Z"), to: Date.parse("2026-05-01T10:02Z") };
      const first = await bench.until(manager.backfill("report", range));
      expect(first.runs.map(({ replayed }) => replayed)).toEqual([false, false, true, true]);
      const again = await bench.until(manager.backfill("report", range));
      expect(again.runs).toEqual(first.runs.map(({ tick, run }) => ({ tick, run, replayed: true })));
      expect(bench.world.runs.size).toBe(4);
      expect(await scheduleOf(manager)).toMatchObject({ lastTick: range.to, missed: 0 });
    }));

  it("stops at its bound, and says where to go on", () =>
    atTime(START, async (bench) => {
      const manager = await bench.open([report({ cron: "0 * * * *" })]);
      const to = Date.parse("2026-05-01T09:00Z");
      let from: number | null = to - 249 * HOUR_MS;
      const sizes: number[] = [];
      while (from !== null) {
        const page: Backfill = await bench.until(manager.backfill("report", { from, to, limit: 120 }));
        sizes.push(page.runs.length);
        from = page.next;
      }
      expect(sizes).toEqual([120, 120, 10]);
      expect(bench.world.runs.size).toBe(250);
    }));

  it("refuses what is no range of the past, and what no schedule is", () =>
    atTime(START, async (bench) => {
      const manager = await bench.open([report({ cron: "0 * * * *" })]);
      const now = bench.clock.now();
      for (const range of [
        { from: now, to: now - 1 },
        { from: now - HOUR_MS, to: now + HOUR_MS },
        { from: Number.NaN, to: now },
        { from: now - 1, to: now, limit: 0 },
        { from: now - 1, to: now, limit: 1_001 },
      ])
        await expect(bench.until(manager.backfill("report", range))).rejects.toMatchObject({ code: "input-invalid" });
      await expect(manager.backfill("nobody's", { from: 0, to: 1 })).rejects.toThrow(
        'expected the name of a schedule, got "nobody\'s"; known are: report',
      );
    }));

  it("says which tick has no input, and what it began before stays", () =>
    atTime(START, async (bench) => {
      const input = (tick: string): unknown => {
        if (tick.includes("T08")) throw new Error("no rates");
        return {};
      };
      const manager = await bench.open([report({ cron: "0 * * * *", input })]);
      const range = { from: Date.parse("2026-05-01T06:00Z"), to: Date.parse("2026-05-01T09:00Z") };
      await expect(bench.until(manager.backfill("report", range))).rejects.toMatchObject({
        ...{
          code: "input-invalid",
          message: expect.stringMatching(/the tick of 2026-05-01T08:00:00.000Z, .*no rates/),
        },
      });
    }));
});

describe("a run by hand", () => {
  it("begins at once, beside the ticks, also while the schedule is paused", () =>
    atTime(START, async (bench) => {
      const inputs: unknown[] = [];
      const manager = await bench.open([report({ cron: "0 * * * *", input: (tick) => ({ tick }) }, 0, inputs)]);
      await bench.pass(100);
      await manager.pauseSchedule("report", BY);
      const started = await bench.until(manager.triggerSchedule("report", { ...BY, idempotencyKey: "now" }));
      await bench.pass(2_000);
      expect(await manager.get(started.id)).toMatchObject({ status: "completed" });
      expect(inputs).toEqual([{ tick: new Date(Date.parse(START) + 100).toISOString() }]);
      expect(await scheduleOf(manager)).toMatchObject({ lastTick: null, lastRun: { id: started.id } });
      const again = await bench.until(manager.triggerSchedule("report", { ...BY, idempotencyKey: "now" }));
      expect(again).toEqual({ id: started.id, status: "completed", replayed: true });
    }));

  it("takes another input", () =>
    atTime(START, async (bench) => {
      const inputs: unknown[] = [];
      const manager = await bench.open([report({ cron: "0 * * * *" }, 0, inputs)]);
      await bench.pass(100);
      await bench.until(manager.triggerSchedule("report", { ...BY, input: { day: "today" } }));
      await bench.pass(2_000);
      expect(inputs).toEqual([{ day: "today" }]);
    }));

  it("is refused while a run goes on, and is then waited for by the next tick", () =>
    atTime(START, async (bench) => {
      const manager = await bench.open([report({ cron: "* * * * *" }, 90_000)]);
      await bench.pass(100);
      const { id } = await bench.until(manager.triggerSchedule("report", BY));
      await expect(bench.until(manager.triggerSchedule("report", BY))).rejects.toMatchObject({
        ...{ code: "schedule-busy", details: { schedule: "report", run: id } },
      });
      await bench.pass(MINUTE_MS);
      expect(await scheduleOf(manager)).toMatchObject({ skipped: 1 });
    }));
});

describe("an operator", () => {
  it("is told when there is no such schedule, or no reason", () =>
    atTime(START, async (bench) => {
      const manager = await bench.open([report({ cron: "* * * * *" })]);
      await bench.pass(100);
      for (const act of [manager.pauseSchedule, manager.resumeSchedule, manager.triggerSchedule].map((each) =>
        each.bind(manager),
      )) {
        await expect(act("nobody's", BY)).rejects.toMatchObject({ code: "schedule-unknown", status: 404 });
        await expect(act("report", { ...BY, reason: " " })).rejects.toMatchObject({ code: "input-invalid" });
        await expect(act("report", { ...BY, actor: "" })).rejects.toMatchObject({ code: "input-invalid" });
      }
      expect(ticksRun(bench)).toEqual([]);
    }));

  it("finds no schedules where there are none", () =>
    atTime(START, async (bench) => {
      const manager = await bench.open([report(undefined)]);
      expect(await manager.schedules()).toEqual([]);
      await bench.pass(HOUR_MS / 2);
      expect(bench.world.runs.size).toBe(0);
    }));
});
