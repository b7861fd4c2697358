import { describe, expect, it } from "vitest";
import { STORE_KINDS } from "../testing/saga-bench.test.support.js";
import {
  atTime,
  BY,
  HOUR_MS,
  instance,
  MINUTE_MS,
  report,
  runsOf,
  scheduleOf,
  ticksRun,
} from "./schedule-bench.test.support.js";

describe.each(STORE_KINDS)("a schedule on %s", (kind) => {
  it("begins a run at each of its ticks, with the input it makes of the tick", () =>
    atTime(
      "2026-05-01T09:58:30Z",
      async (bench) => {
        const inputs: unknown[] = [];
        const schedule = { cron: "*/5 * * * *", input: (tick: string) => ({ tick }) };
        const manager = await bench.open([report(schedule, 0, inputs)]);
        await bench.pass(13 * MINUTE_MS);
        expect(inputs).toEqual(["10:00", "10:05", "10:10"].map((time) => ({ tick: `2026-05-01T${time}:00.000Z` })));
        const runs = await runsOf(manager);
        expect(runs.map(({ status }) => status)).toEqual(["completed", "completed", "completed"]);
        for (const { createdAt } of runs) expect(createdAt % (5 * MINUTE_MS)).toBeLessThan(50);
        expect((await manager.metrics()).schedules).toMatchObject({ ticks: 3, skipped: 0, missed: 0 });
        expect((await manager.metrics()).schedules?.maxLatenessMs).toBeLessThan(50);
      },
      kind,
    ));

  it("is shown with its last run and the next five", () =>
    atTime(
      "2026-05-01T09:58:30Z",
      async (bench) => {
        const manager = await bench.open([report({ cron: "0 * * * *" })]);
        await bench.pass(2 * MINUTE_MS);
        const [run] = await runsOf(manager);
        const ten = Date.parse("2026-05-01T10:00Z");
        expect(await manager.schedules()).toMatchObject([
          {
            ...{
              name: "report",
              cron: "0 * * * *",
              timezone: "UTC",
              overlap: "skip",
              catchUp: 0,
              active: true,
              paused: null,
            },
            ...{ lastTick: ten, lastRun: { id: run?.id, tick: ten, status: "completed" }, waiting: null },
            ...{
              nextRuns: [1, 2, 3, 4, 5].map((n) => ten + n * HOUR_MS),
              skipped: 0,
              missed: 0,
              note: null,
              idle: null,
            },
          },
        ]);
      },
      kind,
    ));

  it("goes on where it was when the process comes back, and has missed what came meanwhile", () =>
    atTime(
      "2026-05-01T10:00:30Z",
      async (bench) => {
        const definition = report({ cron: "* * * * *" });
        const first = await bench.open([definition]);
        await bench.pass(MINUTE_MS);
        await bench.until(first.close());
        await bench.pass(10 * MINUTE_MS);
        const manager = await bench.open([definition]);
        await bench.pass(MINUTE_MS);
        expect(await runsOf(manager)).toHaveLength(3);
        expect(await scheduleOf(manager)).toMatchObject({ missed: 9, note: { kind: "missed" } });
      },
      kind,
    ));
});

describe("a schedule over a change of the clock", () => {
  const over = async (schedule: { cron: string; timezone: string }, from: string, hours: number): Promise<string[]> => {
    let ticks: string[] = [];
    await atTime(from, async (bench) => {
      await bench.open([report(schedule)], {}, { pollMs: 5_000 });
      await bench.pass(hours * HOUR_MS);
      ticks = ticksRun(bench);
    });
    return ticks;
  };

  it("runs once at the change when the change to summer time leaves its time out", async () => {
    const schedule = { cron: "30 2 * * *", timezone: "Europe/Berlin" };
    expect(await over(schedule, "2026-03-28T23:30Z", 4)).toEqual(["2026-03-29T01:00Z"]);
  });

  it("runs once when the change back repeats its time", async () => {
    const schedule = { cron: "30 2 * * *", timezone: "Europe/Berlin" };
    expect(await over(schedule, "2026-10-24T23:30Z", 4)).toEqual(["2026-10-25T00:30Z"]);
  });

  it("follows the clock, both times, when it has a step", async () => {
    const schedule = { cron: "*/30 2 * * *", timezone: "Europe/Berlin" };
    const twice = ["00:00", "00:30", "01:00", "01:30"].map((time) => `2026-10-25T${time}Z`);
    expect(await over(schedule, "2026-10-24T23:30Z", 4)).toEqual(twice);
    expect(await over(schedule, "2026-03-28T23:30Z", 4)).toEqual([]);
  });

  it("runs once at a change by half an hour, both ways", async () => {
    const zone = "Australia/Lord_Howe";
    expect(await over({ cron: "15 2 * * *", timezone: zone }, "2026-10-03T14:30Z", 3)).toEqual(["2026-10-03T15:30Z"]);
    expect(await over({ cron: "45 1 * * *", timezone: zone }, "2026-04-04T14:00Z", 3)).toEqual(["2026-04-04T14:45Z"]);
  });
});

describe("ticks that were missed", () => {
  /** The ticks run when nobody was there for so many minutes, and then somebody for two more. */
  const withoutAnybodyFor = async (
    minutes: number,
    catchUp: boolean | number,
    lastsMs = 0,
  ): Promise<{ ticks: string[]; missed: number }> => {
    let found = { ticks: [] as string[], missed: 0 };
    await atTime("2026-05-01T10:00:30Z", async (bench) => {
      const definition = report({ cron: "* * * * *", catchUp }, lastsMs);
      const first = await bench.open([definition]);
      await bench.until(first.close());
      await bench.pass(minutes * MINUTE_MS);
      const manager = await bench.open([definition]);
      await bench.pass(15_000);
      found = { ticks: ticksRun(bench), missed: (await scheduleOf(manager)).missed };
    });
    return found;
  };
  const minute = (n: number): string => new Date(Date.UTC(2026, 4, 1, 10, n)).toISOString().replace(":00.000Z", "Z");

  it("get no run when they are not made up for, except the one that is less than a minute late", async () => {
    expect(await withoutAnybodyFor(10, false)).toEqual({ ticks: [minute(10)], missed: 9 });
  });

  it("get a run each when they are, oldest first", async () => {
    const all = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(minute);
    expect(await withoutAnybodyFor(10, true)).toEqual({ ticks: all, missed: 0 });
  });

  it("are dropped beyond the bound, the oldest of them, and that is said", async () => {
    const { ticks, missed } = await withoutAnybodyFor(250, true);
    expect(ticks[0]).toBe(minute(151));
    expect(missed).toBe(150);
    expect((await withoutAnybodyFor(250, 2)).missed).toBe(248);
  });

  it("are made up for one after the other, though the schedule would skip or cancel", async () => {
    const { ticks } = await withoutAnybodyFor(8, true, 4_000);
    expect(ticks.slice(0, 2)).toEqual([minute(1), minute(2)]);
    expect(ticks.length).toBeLessThan(6);
  });

  it("while it was paused are missed as others are", () =>
    atTime("2026-05-01T10:00:30Z", async (bench) => {
      const manager = await bench.open([report({ cron: "* * * * *", catchUp: 2 })]);
      await bench.pass(MINUTE_MS);
      await manager.pauseSchedule("report", BY);
      await bench.pass(5 * MINUTE_MS);
      expect(ticksRun(bench)).toEqual([minute(1)]);
      expect(await scheduleOf(manager)).toMatchObject({ idle: "paused by ann: because", nextRuns: [], paused: BY });
      await manager.resumeSchedule("report", BY);
      await bench.pass(5_000);
      expect(ticksRun(bench)).toEqual([minute(1), minute(5), minute(6)]);
      expect(await scheduleOf(manager)).toMatchObject({ idle: null, paused: null, missed: 3 });
    }));
});

describe("an input that cannot be made", () => {
  it("leaves its tick without a run, with the reason, and the next one goes on", () =>
    atTime("2026-05-01T10:00:30Z", async (bench) => {
      const input = (tick: string) => {
        if (tick.includes("10:01")) throw new Error("no rates for today");
        return { tick };
      };
      const manager = await bench.open([report({ cron: "* * * * *", input })]);
      await bench.pass(MINUTE_MS);
      expect(await scheduleOf(manager)).toMatchObject({
        ...{ missed: 1, lastRun: null },
        note: { kind: "failed", message: expect.stringContaining("no rates for today") },
      });
      await bench.pass(MINUTE_MS);
      expect(ticksRun(bench)).toEqual(["2026-05-01T10:02Z"]);
    }));

  it("that the store refuses is said as well", () =>
    atTime("2026-05-01T10:00:30Z", async (bench) => {
      const definition = { ...report({ cron: "* * * * *" }), attributes: () => ({ "not a key!": "x" }) };
      const manager = await instance(bench, [definition]);
      await bench.pass(2 * MINUTE_MS);
      expect(await scheduleOf(manager)).toMatchObject({ missed: 2, note: { kind: "failed" } });
      expect(ticksRun(bench)).toEqual([]);
    }));
});
