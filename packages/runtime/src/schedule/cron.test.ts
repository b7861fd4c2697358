import { describe, expect, it } from "vitest";
import { CronTimes, cronProblem, isTimeZone } from "./cron.js";

const iso = (ms: number): string => new Date(ms).toISOString().replace(":00.000Z", "Z");

/** The times in that zone after one instant, up to another. */
function times(cron: string, zone: string, from: string, to: string): string[] {
  return new CronTimes(cron, zone).between(Date.parse(from), Date.parse(to), 1_000).map(iso);
}

describe("a cron expression", () => {
  it.each([
    "* * * * *",
    "0 2 * * *",
    "*/15 * * * *",
    "0,30 9-17 * * mon-fri",
    "0 0 1 jan,jul *",
    "10-40/10 * 1-7 * 0",
    "0 0 29 2 *",
    " 5  4 * * 7 ",
  ])("takes %j", (cron) => {
    expect(cronProblem(cron)).toBeNull();
  });

  it.each([
    ["", "five fields"],
    ["* * * *", "got 4"],
    ["* * * * * *", "got 6"],
    ["@daily", "got 1"],
    ["60 * * * *", "minute"],
    ["* 24 * * *", "hour"],
    ["* * 0 * *", "day"],
    ["* * * 13 *", "month"],
    ["* * * * 8", "day"],
    ["5/15 * * * *", 'got "5/15"'],
    ["*/0 * * * *", "step"],
    ["*/99 * * * *", "step"],
    ["50-10 * * * *", "larger"],
    ["0 0 L * *", 'got "L"'],
    ["0 0 ? * *", 'got "?"'],
    ["0 0 * * 1#2", 'got "1#2"'],
    ["0 0 1W * *", 'got "1W"'],
    ["0 0 * * monday", 'got "monday"'],
    ["0 0 30 2 *", "which no year has"],
  ])("refuses %j, and says what of it", (cron, what) => {
    expect(cronProblem(cron)).toContain(what);
  });

  it("knows the zones of the IANA database and nothing else", () => {
    for (const zone of ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"])
      expect(isTimeZone(zone)).toBe(true);
    for (const zone of ["", "+02:00", "Europe/Nowhere", "UTC+1"]) expect(isTimeZone(zone)).toBe(false);
    expect(() => new CronTimes("* * * * *", "Mars/Base")).toThrow(
      /expected an IANA time zone such as .*, got "Mars\/Base"/,
    );
  });

  it("gives the next time after an instant, and not that instant itself", () => {
    const hourly = new CronTimes("0 * * * *", "UTC");
    expect(iso(hourly.after(Date.parse("2026-05-01T10:00Z")) ?? 0)).toBe("2026-05-01T11:00Z");
    expect(iso(hourly.after(Date.parse("2026-05-01T09:59:59.999Z")) ?? 0)).toBe("2026-05-01T10:00Z");
  });

  it("comes on days that fit the day or the weekday, when both are given", () => {
    expect(times("0 0 13 * fri", "UTC", "2026-02-01T00:00Z", "2026-02-28T00:00Z")).toEqual(
      ["06", "13", "20", "27"].map((day) => `2026-02-${day}T00:00Z`),
    );
  });
});

describe("the newest times", () => {
  it.each([
    ["* * * * *", 1, "2026-03-01T10:01:01Z"],
    ["* * * * *", 100, "2026-03-01T10:01:01Z"],
    ["0 2 * * *", 3, "2025-11-20T10:01:01Z"],
    ["*/7 3,4 1 * *", 20, "2025-11-20T10:01:01Z"],
    ["* * 28 2 *", 5, "2025-11-20T10:01:01Z"],
    ["0 0 1 1 *", 4, "2001-01-01T00:00:01Z"],
  ])("of %j are the last %i of all since then", (cron, limit, since) => {
    const cronTimes = new CronTimes(cron, "Europe/Berlin");
    const [from, to] = [Date.parse(since), Date.parse("2026-03-02T08:30Z")];
    expect(cronTimes.newest(from, to, limit)).toEqual(cronTimes.between(from, to, 100_000).slice(-limit));
  });

  it("include one at the end and none at the beginning", () => {
    const daily = new CronTimes("0 2 * * *", "UTC");
    const [from, to] = [Date.parse("2026-01-01T02:00Z"), Date.parse("2026-01-03T02:00Z")];
    expect(daily.newest(from, to, 9).map(iso)).toEqual(["2026-01-02T02:00Z", "2026-01-03T02:00Z"]);
  });
});

/** In Berlin the clock goes from 02:00 to 03:00 on 2026-03-29 at 01:00Z, and back from 03:00 to 02:00 on 2026-10-25 at 01:00Z. */
describe("the change to summer time", () => {
  const march = (cron: string): string[] => times(cron, "Europe/Berlin", "2026-03-28T23:30Z", "2026-03-29T22:30Z");

  it.each([
    ["30 2 * * *", ["01:00"]],
    ["0,30 2 * * *", ["01:00"]],
    ["30 2,3 * * *", ["01:00", "01:30"]],
    ["0 3 * * *", ["01:00"]],
    ["30 1 * * *", ["00:30"]],
  ])("lets a fixed time that it leaves out come at the change, once: %s", (cron, expected) => {
    expect(march(cron)).toEqual(expected.map((time) => `2026-03-29T${time}Z`));
  });

  it("leaves out what follows the clock and lies in the gap", () => {
    expect(march("*/30 2 * * *")).toEqual([]);
    expect(march("*/30 1-3 * * *")).toEqual(["00:00", "00:30", "01:00", "01:30"].map((time) => `2026-03-29T${time}Z`));
  });

  it("keeps an hourly schedule an hour apart", () => {
    const found = times("0 * * * *", "Europe/Berlin", "2026-03-28T22:30Z", "2026-03-29T03:30Z");
    expect(found).toEqual(["28T23", "29T00", "29T01", "29T02", "29T03"].map((hour) => `2026-03-${hour}:00Z`));
  });

  it("by half an hour (Lord Howe, 2026-10-04 at 15:30Z the day before) lets 02:15 come at the change", () => {
    expect(times("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T00:00Z", "2026-10-05T00:00Z")).toEqual([
      "2026-10-02T15:45Z",
      "2026-10-03T15:30Z",
      "2026-10-04T15:15Z",
    ]);
  });

  it("at midnight (Havana, 2026-03-08 at 05:00Z) lets a daily schedule come at the change", () => {
    expect(times("0 0 * * *", "America/Havana", "2026-03-06T12:00Z", "2026-03-10T00:00Z")).toEqual([
      "2026-03-07T05:00Z",
      "2026-03-08T05:00Z",
      "2026-03-09T04:00Z",
    ]);
  });
});

describe("the change back", () => {
  const october = (cron: string): string[] => times(cron, "Europe/Berlin", "2026-10-24T22:30Z", "2026-10-25T12:30Z");

  it.each([
    ["30 2 * * *", ["00:30"]],
    ["0,30 2 * * *", ["00:00", "00:30"]],
    ["0 3 * * *", ["02:00"]],
  ])("lets a fixed time that it repeats come the first time alone: %s", (cron, expected) => {
    expect(october(cron)).toEqual(expected.map((time) => `2026-10-25T${time}Z`));
  });

  it("lets what follows the clock come both times", () => {
    expect(october("*/30 2 * * *")).toEqual(["00:00", "00:30", "01:00", "01:30"].map((time) => `2026-10-25T${time}Z`));
  });

  it("keeps an hourly schedule an hour apart", () => {
    const found = times("0 * * * *", "Europe/Berlin", "2026-10-24T22:30Z", "2026-10-25T03:30Z");
    expect(found).toEqual(["24T23", "25T00", "25T01", "25T02", "25T03"].map((hour) => `2026-10-${hour}:00Z`));
  });

  it("by half an hour (Lord Howe, 2026-04-05 at 15:00Z the day before) lets 01:45 come once, and each quarter of an hour", () => {
    const zone = "Australia/Lord_Howe";
    expect(times("45 1 * * *", zone, "2026-04-03T00:00Z", "2026-04-06T00:00Z")).toEqual([
      "2026-04-03T14:45Z",
      "2026-04-04T14:45Z",
      "2026-04-05T15:15Z",
    ]);
    expect(times("*/15 * * * *", zone, "2026-04-04T14:40Z", "2026-04-04T15:40Z")).toEqual(
      ["14:45", "15:00", "15:15", "15:30"].map((time) => `2026-04-04T${time}Z`),
    );
  });
});

/** All changes of 2026 in zones of every kind: by an hour, by half of one, at midnight, in winter, around the year. */
describe("around each change of the clock", () => {
  const zones = [
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "America/Havana",
    "Africa/Cairo",
    "Antarctica/Troll",
  ];
  it.each(zones)("every instant of %s agrees on which time is next", (zone) => {
    let looked = 0;
    for (const change of changesOf(zone, 2026))
      for (const cron of ["30 2 * * *", "*/15 * * * *", "0,30 1-3 * * *", "0 0 * * *"]) {
        const cronTimes = new CronTimes(cron, zone);
        const [from, to] = [change - 5 * HOUR_MS, change + 32 * HOUR_MS];
        const all = cronTimes.between(from, to, 1_000);
        expect(all).toEqual([...new Set(all)].sort((a, b) => a - b));
        for (let at = from; at < change + 5 * HOUR_MS; at += 7 * 60_000) {
          expect(cronTimes.after(at), `${cron} after ${iso(at)}`).toBe(all.find((time) => time > at));
          looked += 1;
        }
      }
    expect(looked).toBeGreaterThan(300);
  });
});

const HOUR_MS = 3_600_000;

function changesOf(zone: string, year: number): number[] {
  const format = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset", hour: "numeric" });
  const offset = (at: number): string =>
    format.formatToParts(at).find(({ type }) => type === "timeZoneName")?.value ?? "";
  const hours = Array.from({ length: 366 * 24 }, (_, hour) => Date.UTC(year, 0, 1) + hour * HOUR_MS);
  return hours.filter((at) => offset(at) !== offset(at - HOUR_MS));
}
