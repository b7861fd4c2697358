import { describe, expect, it } from "vitest";
import { CronTimes } from "./cron.js";
import { dueTick } from "./due-tick.js";

const SINCE = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;
const minutely = new CronTimes("* * * * *", "UTC");
const row = (overrides: { lastTick?: number | null; catchUp?: number } = {}) => ({
  ...{ since: SINCE, lastTick: null, catchUp: 0 },
  ...overrides,
});
const at = (minutes: number): number => SINCE + minutes * MINUTE_MS;

describe("what is due", () => {
  it("is nothing before the first tick after the schedule came to be", () => {
    expect(dueTick(minutely, row(), at(1) - 1)).toEqual({ kind: "later", at: at(1) });
  });

  it("is the tick whose time has come, once", () => {
    expect(dueTick(minutely, row(), at(1))).toEqual({ kind: "tick", at: at(1), how: "on-time", missed: 0 });
    expect(dueTick(minutely, row({ lastTick: at(1) }), at(1) + 59_999)).toEqual({ kind: "later", at: at(2) });
  });

  it("is a tick that is less than a minute late, and none that is a minute late", () => {
    const daily = new CronTimes("0 2 * * *", "UTC");
    const two = SINCE + 2 * 3_600_000;
    expect(dueTick(daily, row(), two + MINUTE_MS - 1)).toMatchObject({ kind: "tick", how: "on-time", missed: 0 });
    expect(dueTick(daily, row(), two + MINUTE_MS)).toEqual({ kind: "missed", at: two, missed: 0 });
  });

  it("is the newest of many when none is made up for, and the others are counted", () => {
    expect(dueTick(minutely, row(), at(10) + 5)).toEqual({ kind: "tick", at: at(10), how: "on-time", missed: 9 });
  });

  it("is the oldest missed one when they are made up for, after those that are too many", () => {
    expect(dueTick(minutely, row({ catchUp: 100 }), at(10))).toEqual({
      kind: "tick",
      at: at(1),
      how: "late",
      missed: 0,
    });
    expect(dueTick(minutely, row({ catchUp: 3 }), at(10))).toEqual({ kind: "tick", at: at(8), how: "late", missed: 7 });
    expect(dueTick(minutely, row({ catchUp: 3, lastTick: at(9) }), at(10))).toMatchObject({
      at: at(10),
      how: "on-time",
    });
  });

  it("after a year without anybody is found at once, and counted up to a thousand", () => {
    expect(dueTick(minutely, row(), at(525_600))).toEqual({
      kind: "tick",
      at: at(525_600),
      how: "on-time",
      missed: 1_000,
    });
    const made = dueTick(minutely, row({ catchUp: 100 }), at(525_600));
    expect(made).toEqual({ kind: "tick", at: at(525_501), how: "late", missed: 1_000 });
  });
});
