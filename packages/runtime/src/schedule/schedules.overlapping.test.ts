import { describe, expect, it } from "vitest";
import { saga } from "../saga/builder.js";
import { atTime, BY, MINUTE_MS, report, runsOf, scheduleOf, ticksRun } from "./schedule-bench.test.support.js";

const START = "2026-05-01T10:00:30Z";
const minute = (n: number): string => `2026-05-01T10:0${n}Z`;
const LASTS_MS = 2.5 * MINUTE_MS;

describe("a tick that comes while the run of the one before goes on", () => {
  it("is skipped", () =>
    atTime(START, async (bench) => {
      const manager = await bench.open([report({ cron: "* * * * *" }, LASTS_MS)]);
      await bench.pass(5 * MINUTE_MS);
      expect(ticksRun(bench)).toEqual([minute(1), minute(4)]);
      expect(await scheduleOf(manager)).toMatchObject({ skipped: 3, note: { kind: "skipped" } });
      expect((await manager.metrics()).schedules).toMatchObject({ ticks: 2, skipped: 3 });
    }));

  it("waits for its end with queue, and those that come behind it are skipped", () =>
    atTime(START, async (bench) => {
      const manager = await bench.open([report({ cron: "* * * * *", overlap: "queue" }, LASTS_MS)]);
      await bench.pass(2 * MINUTE_MS);
      const view = await scheduleOf(manager);
      expect(view.waiting).toBe(Date.parse(minute(2)));
      expect(view.idle).toContain(`when run ${view.lastRun?.id} has ended`);
      await bench.pass(2 * MINUTE_MS);
      expect(ticksRun(bench)).toEqual([minute(1), minute(2)]);
      const [first, second] = await runsOf(manager);
      expect(second?.createdAt).toBeGreaterThanOrEqual(first?.endedAt ?? Number.POSITIVE_INFINITY);
      expect((second?.createdAt ?? 0) - (first?.endedAt ?? 0)).toBeLessThan(2_000);
      expect(await scheduleOf(manager)).toMatchObject({ skipped: 1, waiting: Date.parse(minute(4)) });
    }));

  it("cancels it with cancel, and begins when it has been undone", () =>
    atTime(START, async (bench) => {
      const undone: string[] = [];
      const definition = saga("report", { schedule: { cron: "* * * * *", overlap: "cancel" } })
        .step("make", {
          run: () => null,
          compensate: async ({ runId }) => {
            await bench.later(5_000);
            undone.push(runId);
          },
        })
        .sleep("last", { for: "150s" })
        .build();
      const manager = await bench.open([definition]);
      await bench.pass(2 * MINUTE_MS);
      const [first, second] = await runsOf(manager);
      expect(ticksRun(bench)).toEqual([minute(1), minute(2)]);
      expect(first?.status).toBe("cancelled");
      expect(undone).toEqual([first?.id]);
      expect(second?.createdAt).toBeGreaterThanOrEqual(first?.endedAt ?? Number.POSITIVE_INFINITY);
      const rows = await manager.journal(first?.id ?? "");
      expect(rows.flatMap(({ records }) => records)).toContainEqual(
        expect.objectContaining({
          kind: "cancel-requested",
          actor: "schedule",
          reason: expect.stringContaining("10:02"),
        }),
      );
    }));

  it("is held up by one that an operator paused, and not by one that is stuck", () =>
    atTime(START, async (bench) => {
      const definition = saga("report", { schedule: { cron: "* * * * *" }, timeout: "2h" })
        .step("make", { run: () => null })
        .pivot()
        .waitFor("approval", { timeout: "90s", onTimeout: "refuse" })
        .build();
      const manager = await bench.open([definition]);
      await bench.pass(MINUTE_MS);
      const [first] = await runsOf(manager);
      await bench.until(manager.act(first?.id ?? "", "pause", BY));
      await bench.toStatus(manager, first?.id ?? "", "paused");
      await bench.pass(MINUTE_MS);
      expect(ticksRun(bench)).toEqual([minute(1)]);
      await bench.until(manager.act(first?.id ?? "", "resume", BY));
      await bench.toStatus(manager, first?.id ?? "", "stuck");
      await bench.pass(MINUTE_MS);
      expect(ticksRun(bench)).toHaveLength(2);
    }));
});
