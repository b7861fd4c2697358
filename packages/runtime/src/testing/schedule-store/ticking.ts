import { describe, expect } from "vitest";
import { tickKey } from "../../store/schedule-judge.js";
import { activate, claimAll, newRun, runId } from "../run-store-contract/harness.js";
import { begun, MINUTE_MS, NAME, registeredFor, rowIn, rowOf, type ScheduleTest, tickAt } from "./harness.js";

export function ticking(test: ScheduleTest): void {
  describe("tick", () => {
    test("creates the run of the tick, for anybody to take, and says so in the row", async (under) => {
      const { schedules, store } = under;
      const row = await registeredFor(under, 1);
      const tick = tickAt(row, 1);
      const result = await schedules.tick(tick);
      const expected = { ...row, lastTick: tick.at, lastRun: { id: runId(1), tick: tick.at, late: false } };
      expect(result).toMatchObject({
        kind: "started",
        created: true,
        row: expected,
        run: { id: runId(1), status: "pending" },
      });
      expect(await rowOf(schedules)).toEqual(expected);
      expect(await store.get(runId(1))).toMatchObject({ key: tickKey(NAME, tick.at), status: "pending", owner: null });
      await activate(store, "worker");
      expect((await claimAll(store, "worker")).map(({ run }) => run.id)).toEqual([runId(1)]);
    });

    test("is one run's, whoever comes, and however often", async (under) => {
      const { schedules, another, store } = under;
      const row = await registeredFor(under, 1);
      const stores = [schedules, await another()];
      const results = await Promise.all(
        Array.from({ length: 10 }, (_, n) => {
          const run = { ...newRun(n + 1, { key: tickKey(NAME, row.since + MINUTE_MS) }), claim: null };
          return (stores[n % 2] ?? schedules).tick(tickAt(row, 1, { run }));
        }),
      );
      expect(results.map(({ kind }) => kind).sort()).toEqual([...Array(9).fill("passed"), "started"]);
      expect((await store.list({ limit: 100 })).items).toHaveLength(1);
      for (const result of results) expect(rowIn(result)).toEqual(await rowOf(schedules));
    });

    test("has passed when it is sent again", async (under) => {
      const { schedules, store } = under;
      const row = await registeredFor(under, 1);
      const known = await begun(schedules, tickAt(row, 1));
      expect(await schedules.tick(tickAt(row, 1))).toEqual({ kind: "passed", row: known });
      expect((await store.list({ limit: 100 })).items).toHaveLength(1);
    });

    test("does not come before its time, by the store's clock", async (under) => {
      const { schedules, store, advance, tickMs } = under;
      const row = await registeredFor(under, 1);
      const later = tickAt(row, 2);
      await advance(MINUTE_MS - 2 * tickMs);
      expect(await schedules.tick(later)).toEqual({ kind: "early", row });
      expect(await store.get(runId(2))).toBeUndefined();
      await advance(3 * tickMs);
      expect((await schedules.tick(later)).kind).toBe("started");
    });

    test("does not go back", async (under) => {
      const { schedules } = under;
      const row = await registeredFor(under, 3);
      const known = await begun(schedules, tickAt(row, 2));
      expect((await schedules.tick(tickAt(known, 1))).kind).toBe("passed");
      expect((await schedules.tick(tickAt(known, 0))).kind).toBe("passed");
      expect(await rowOf(schedules)).toEqual(known);
    });

    test("counts those that were missed before it, and says so", async (under) => {
      const { schedules, store, near } = under;
      const row = await registeredFor(under, 5);
      const known = await begun(schedules, tickAt(row, 5, { missed: 4 }));
      expect(known).toMatchObject({
        ...{ missed: 4, lastTick: row.since + 5 * MINUTE_MS },
        note: { kind: "missed", at: near(await store.now()), message: expect.stringContaining("4 ticks") },
      });
    });

    test("is missed without a run, with the reason", async (under) => {
      const { schedules, store } = under;
      const row = await registeredFor(under, 3);
      const why = { kind: "failed", message: "no input" } as const;
      const result = await schedules.tick(tickAt(row, 3, { run: null, missed: 2, why }));
      expect(result).toMatchObject({ kind: "missed", row: { missed: 3, lastRun: null, note: why } });
      expect(await rowOf(schedules)).toEqual(rowIn(result));
      expect((await store.list({ limit: 10 })).items).toEqual([]);
    });

    test("takes the run that its key has, and begins no second one", async (under) => {
      const { schedules, store } = under;
      const row = await registeredFor(under, 1);
      await store.create([newRun(7, { key: tickKey(NAME, row.since + MINUTE_MS) })]);
      const result = await schedules.tick(tickAt(row, 1));
      expect(result).toMatchObject({ kind: "started", created: false, run: { id: runId(7) } });
      expect(rowIn(result).lastRun?.id).toBe(runId(7));
      expect(await store.get(runId(1))).toBeUndefined();
    });

    test("changes nothing when its run cannot be stored", async (under) => {
      const { schedules } = under;
      const row = await registeredFor(under, 1);
      const tick = tickAt(row, 1);
      const run = tick.run && { ...tick.run, attributes: { "not a key!": "x" } };
      expect(await schedules.tick({ ...tick, run })).toEqual({ kind: "rejected", row, reason: expect.any(String) });
      expect(await rowOf(schedules)).toEqual(row);
      expect((await schedules.tick(tick)).kind).toBe("started");
    });

    test("of an unknown schedule is unknown", async (under) => {
      const row = await registeredFor(under, 1);
      expect(await under.schedules.tick(tickAt({ ...row, name: "nobody's" }, 1))).toEqual({ kind: "unknown" });
    });

    test("by hand moves nothing but the last run, and is the same run again under its key", async (under) => {
      const { schedules } = under;
      const row = await registeredFor(under, 1);
      const run = { ...newRun(9, { key: "by hand" }), claim: null };
      const result = await schedules.tick(tickAt(row, 1, { how: "by-hand", run }));
      expect(result).toMatchObject({
        kind: "started",
        created: true,
        row: { lastTick: null, lastRun: { id: runId(9) } },
      });
      const again = await schedules.tick(
        tickAt(row, 1, { how: "by-hand", run: { ...run, id: runId(10), rootId: runId(10) } }),
      );
      expect(again).toMatchObject({ kind: "started", created: false, run: { id: runId(9) } });
    });
  });
}
