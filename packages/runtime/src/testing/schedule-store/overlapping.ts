import { describe, expect } from "vitest";
import type { RunStatus } from "../../engine/records.js";
import { newRun, runId } from "../run-store-contract/harness.js";
import { begun, lead, MINUTE_MS, registeredFor, rowIn, rowOf, type ScheduleTest, tickAt } from "./harness.js";

export function overlapping(test: ScheduleTest): void {
  describe("a tick while the run of the one before goes on", () => {
    test("is skipped, counted and noted", async (under) => {
      const { schedules, store } = under;
      const row = await begun(schedules, tickAt(await registeredFor(under, 2), 1));
      const result = await schedules.tick(tickAt(row, 2));
      expect(result).toMatchObject({
        kind: "skipped",
        row: { lastTick: row.since + 2 * MINUTE_MS, skipped: 1, lastRun: { id: runId(1) } },
      });
      expect(rowIn(result).note).toMatchObject({ kind: "skipped", message: expect.stringContaining(runId(1)) });
      expect(await rowOf(schedules)).toEqual(rowIn(result));
      expect(await store.get(runId(2))).toBeUndefined();
    });

    test("is skipped once, whoever comes, and what an operator does meanwhile is kept", async (under) => {
      const { schedules, another } = under;
      const row = await begun(schedules, tickAt(await registeredFor(under, 2), 1));
      const stores = [schedules, await another()];
      const ticks = Array.from({ length: 10 }, (_, n) => (stores[n % 2] ?? schedules).tick(tickAt(row, 2)));
      const pause = schedules.pause(row.name, { actor: "ann", reason: "enough" });
      const kinds = (await Promise.all(ticks)).map(({ kind }) => kind);
      expect(await pause).toBe(true);
      expect(kinds.filter((kind) => kind === "skipped").length).toBeLessThanOrEqual(1);
      expect(kinds.every((kind) => kind === "skipped" || kind === "passed" || kind === "resting")).toBe(true);
      const skipped = kinds.includes("skipped") ? 1 : 0;
      expect(await rowOf(schedules)).toMatchObject({ skipped, paused: { actor: "ann" } });
    });

    const statuses: readonly (readonly [RunStatus, boolean])[] = [
      ["waiting", true],
      ["compensating", true],
      ["paused", true],
      ["stuck", false],
      ["completed", false],
      ["failed", false],
      ["cancelled", false],
    ];
    for (const [status, holds] of statuses)
      test(`${holds ? "is held up by one" : "is not held up by one"} that is ${status}`, async (under) => {
        const { schedules, store } = under;
        const row = await begun(schedules, tickAt(await registeredFor(under, 2), 1));
        await lead(store, runId(1), status);
        expect((await schedules.tick(tickAt(row, 2))).kind).toBe(holds ? "skipped" : "started");
      });

    test("is held up by an older one that was stuck and goes on again", async (under) => {
      const { schedules, store } = under;
      const row = await begun(schedules, tickAt(await registeredFor(under, 4), 1));
      await lead(store, runId(1), "stuck");
      const next = await begun(schedules, tickAt(row, 2));
      await lead(store, runId(2), "completed");
      await store.signal([{ run: runId(1), id: "again", kind: "verb", name: "resume", payload: {}, actor: "a" }]);
      await lead(store, runId(1), "waiting");
      expect((await schedules.tick(tickAt(next, 3))).kind).toBe("skipped");
    });

    test("is not held up by one that is deleted", async (under) => {
      const { schedules, store } = under;
      const row = await begun(schedules, tickAt(await registeredFor(under, 2), 1));
      await lead(store, runId(1), "completed");
      expect(await store.prune((await store.now()) + 5_000, 10)).toBe(1);
      expect((await schedules.tick(tickAt(row, 2))).kind).toBe("started");
    });

    test("by hand, or made up for, is held, and nothing changes", async (under) => {
      const { schedules } = under;
      const row = await begun(schedules, tickAt(await registeredFor(under, 9, { catchUp: 10 }), 1));
      const held = { kind: "held", row, by: [runId(1)] };
      const run = { ...newRun(9, { key: "by hand" }), claim: null };
      expect(await schedules.tick(tickAt(row, 2, { how: "late" }))).toEqual(held);
      expect(await schedules.tick(tickAt(row, 2, { how: "by-hand", run }))).toEqual(held);
      expect(await rowOf(schedules)).toEqual(row);
    });

    test("is held when that one made up for a missed tick, as it comes next in its line", async (under) => {
      const { schedules, store } = under;
      const row = await registeredFor(under, 3, { catchUp: 10 });
      const late = await begun(schedules, tickAt(row, 2, { how: "late", missed: 1 }));
      expect(late.lastRun?.late).toBe(true);
      const next = tickAt(late, 3);
      expect(await schedules.tick(next)).toEqual({ kind: "held", row: late, by: [runId(2)] });
      await lead(store, runId(2), "completed");
      expect(await begun(schedules, next)).toMatchObject({ skipped: 0, lastRun: { id: runId(3), late: false } });
    });

    test("waits, and begins when that one has ended: one alone, those after it are skipped", async (under) => {
      const { schedules, store } = under;
      const row = await begun(schedules, tickAt(await registeredFor(under, 5, { overlap: "queue" }), 1));
      const second = await schedules.tick(tickAt(row, 2));
      const waiting = row.since + 2 * MINUTE_MS;
      expect(second).toMatchObject({ kind: "waits", row: { waiting, lastTick: waiting, skipped: 0 }, canceled: [] });
      const third = await schedules.tick(tickAt(rowIn(second), 3));
      expect(third).toMatchObject({ kind: "skipped", row: { waiting, skipped: 1 } });

      const release = tickAt(rowIn(third), 2, { how: "waiting" });
      expect(await schedules.tick(release)).toEqual({ kind: "held", row: rowIn(third), by: [runId(1)] });
      await lead(store, runId(1), "completed");
      // One that came later does not overtake it.
      expect((await schedules.tick(tickAt(rowIn(third), 4))).kind).toBe("held");
      const released = await schedules.tick(release);
      expect(released).toMatchObject({
        kind: "started",
        row: { waiting: null, lastRun: { id: runId(2), tick: waiting } },
      });
      expect(await schedules.tick(release)).toEqual({ kind: "passed", row: rowIn(released) });
      expect((await schedules.tick(tickAt(rowIn(released), 4))).kind).toBe("waits");
    });

    test("that waits and whose run cannot begin waits no longer", async (under) => {
      const { schedules, store } = under;
      const row = await begun(schedules, tickAt(await registeredFor(under, 3, { overlap: "queue" }), 1));
      const second = rowIn(await schedules.tick(tickAt(row, 2)));
      await lead(store, runId(1), "completed");
      const why = { kind: "failed", message: "no input" } as const;
      const result = await schedules.tick(tickAt(second, 2, { how: "waiting", run: null, why }));
      expect(result).toMatchObject({ kind: "missed", row: { waiting: null, missed: 1, note: why } });
    });
  });
}
