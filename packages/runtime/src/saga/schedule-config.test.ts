import { describe, expect, it } from "vitest";
import { fingerprintOf } from "../schedule/schedule-definition.js";
import { saga } from "./builder.js";
import { sagaFromConfig, type TaskConfig } from "./from-config.js";

const STAGE = { name: "make", service: "reports", endpoint: "/make" };
const task = (keys: Partial<TaskConfig>) => sagaFromConfig({ name: "report", stages: [STAGE], ...keys });
const built = (schedule: object) =>
  saga("report", { schedule: schedule as never })
    .step("make", { service: "reports", endpoint: "/make" })
    .build();

describe("the schedule of a definition", () => {
  it("is the same from config and from the builder, with its defaults", () => {
    expect(task({ schedule: "0 2 * * *" }).schedule).toEqual(built({ cron: "0 2 * * *" }).schedule);
    expect(built({ cron: "0 2 * * *" }).schedule).toEqual({
      ...{ cron: "0 2 * * *", timezone: "UTC", overlap: "skip", catchUp: 0, input: { kind: "fixed", value: {} } },
    });
    const keys = {
      timezone: "Europe/Berlin",
      overlap: "queue",
      catch_up: true,
      schedule_input: { full: true },
    } as const;
    expect(task({ schedule: "0 2 * * *", ...keys }).schedule).toEqual(
      built({ cron: "0 2 * * *", timezone: "Europe/Berlin", overlap: "queue", catchUp: true, input: { full: true } })
        .schedule,
    );
    expect(task({ schedule: "0 2 * * *", catch_up: 7 }).schedule?.catchUp).toBe(7);
  });

  it("makes its input of the tick", async () => {
    const { schedule } = task({
      schedule: "0 2 * * *",
      schedule_input: { day: "${ $substring(tick, 0, 10) }", kind: "daily", at: ["${ $toMillis(tick) }"] },
    });
    if (schedule?.input.kind !== "computed") expect.fail("expected an input that is computed");
    expect(await schedule.input.compute("2026-05-01T02:00:00.000Z")).toEqual({
      ...{ day: "2026-05-01", kind: "daily", at: [Date.UTC(2026, 4, 1, 2)] },
    });
  });

  it("does not change the version, and is told apart by all that decides what a tick does", () => {
    const plain = saga("report").step("make", { service: "reports", endpoint: "/make" }).build();
    const daily = built({ cron: "0 2 * * *" });
    expect(daily.version).toBe(plain.version);
    const others = [
      { cron: "0 3 * * *" },
      { cron: "0 2 * * *", timezone: "Europe/Berlin" },
      { cron: "0 2 * * *", overlap: "cancel" },
      { cron: "0 2 * * *", catchUp: true },
      { cron: "0 2 * * *", input: { full: true } },
      { cron: "0 2 * * *", input: () => ({}) },
    ].map((options) => built(options));
    const prints = [daily, ...others].map(({ version, schedule }) => schedule && fingerprintOf(version, schedule));
    expect(new Set(prints).size).toBe(7);
    const again = built({ cron: "0 2 * * *" });
    expect(again.schedule && fingerprintOf(again.version, again.schedule)).toBe(prints[0]);
  });

  it.each([
    [{ cron: "61 * * * *" }, 'the schedule of "report": expected a cron expression, got "61 * * * *"'],
    [{ cron: "* * * * *", timezone: "Mars/Base" }, 'expected an IANA time zone such as Europe/Berlin, got "Mars/Base"'],
    [{ cron: "* * * * *", overlap: "wait" }, 'expected overlap "skip", "queue" or "cancel", got "wait"'],
    [{ cron: "* * * * *", catchUp: 1_001 }, "expected catchUp true, false or 0 to 1000 ticks, got 1001"],
    [{ cron: "* * * * *", catchUp: 0.5 }, "got 0.5"],
    [{ cron: "* * * * *", input: [1] }, "expected its input to be a JSON object, got [1]"],
    [{ cron: "* * * * *", input: { a: "\0" } }, "its input"],
  ])("is refused when it is %j", (schedule, message) => {
    expect(() => built(schedule)).toThrow(message);
    expect(() => built(schedule)).toThrow(expect.objectContaining({ code: "definition-invalid" }));
  });

  it("is refused when the definition refuses its input", () => {
    const checkInput = (input: unknown): void => {
      if (typeof (input as { day?: unknown }).day !== "string") throw new Error("no day");
    };
    const define = (input: object) =>
      saga("report", { schedule: { cron: "* * * * *", input: input as never }, checkInput: checkInput as never })
        .step("make", { run: () => null })
        .build();
    expect(() => define({})).toThrow('the schedule of "report": the input of "report" is refused: no day');
    expect(define({ day: "monday" }).schedule).toBeDefined();
  });

  it.each(["timezone", "overlap", "catch_up", "schedule_input"] as const)(
    "needs a cron expression beside %s",
    (key) => {
      const values = { timezone: "UTC", overlap: "skip", catch_up: true, schedule_input: {} } as const;
      expect(() => task({ [key]: values[key] })).toThrow(
        `expected ${key} of "report" beside schedule, got no schedule`,
      );
    },
  );
});
