import { describe, expect } from "vitest";
import { SILENT_MS } from "../../store/schedule-store.js";
import { POISON } from "../run-store-contract/harness.js";
import { begun, MINUTE_MS, NAME, plan, register, registeredFor, rowOf, type ScheduleTest, tickAt } from "./harness.js";

export function registering(test: ScheduleTest): void {
  describe("register", () => {
    test("makes a schedule, which then is as it was registered", async ({ schedules, store, near }) => {
      const { now, rows } = await schedules.register([{ name: NAME, schedule: plan({ catchUp: 7 }) }], "begin");
      const at = near(await store.now());
      expect(now).toEqual(at);
      expect(rows).toEqual([
        {
          ...{
            name: NAME,
            ...plan({ catchUp: 7 }),
            revision: 1,
            active: true,
            registeredAt: at,
            seenAt: at,
            since: at,
          },
          ...{ lastTick: null, lastRun: null, waiting: null, skipped: 0, missed: 0, paused: null, note: null },
        },
      ]);
      expect((await schedules.list()).rows).toEqual(rows);
    });

    test("gives the rows of the names given, in their order, and no others", async ({ schedules }) => {
      const names = ["b", "c", "a"];
      await schedules.register(
        names.map((name) => ({ name, schedule: plan() })),
        "begin",
      );
      const asked = ["c", "a", "new"].map((name) => ({ name, schedule: name === "new" ? null : plan() }));
      const { rows } = await schedules.register(asked, "keep");
      expect(rows.map(({ name }) => name)).toEqual(["a", "c"]);
      expect((await schedules.list()).rows.map(({ name }) => name)).toEqual(["a", "b", "c"]);
    });

    test("changes nothing when it is sent again, or by an instance with the same schedule", async (under) => {
      const { schedules, another } = under;
      const row = await registeredFor(under, 2);
      const known = await begun(schedules, tickAt(row, 1));
      expect(await register(schedules)).toMatchObject({ ...known, seenAt: expect.any(Number) });
      expect(await register(await another())).toMatchObject({ ...known, seenAt: expect.any(Number) });
    });

    test("lets the newest registration win, and those before it rest", async (under) => {
      const { schedules, another, store, near } = under;
      const old = await registeredFor(under, 2);
      const other = await another();
      const next = await register(other, { cron: "*/2 * * * *" });
      expect(next).toMatchObject({ cron: "*/2 * * * *", revision: 2, since: near(await store.now()), lastTick: null });
      expect(await schedules.tick(tickAt(old, 1))).toEqual({ kind: "resting", row: next });
      expect(await register(schedules, {}, "keep")).toEqual(next);
    });

    test("keeps where a schedule is when only what its ticks do is another", async (under) => {
      const { schedules } = under;
      const row = await registeredFor(under, 3);
      const known = await begun(schedules, tickAt(row, 1));
      const next = await register(schedules, { overlap: "queue", version: "v2" });
      expect(next).toMatchObject({ since: known.since, lastTick: known.lastTick, revision: 2, version: "v2" });
      expect((await schedules.tick(tickAt(next, 2))).kind).toBe("waits");
    });

    test("gives a schedule back to an instance whose successors have been silent for long", async (under) => {
      const { schedules, advance, tickMs } = under;
      await register(schedules);
      const next = await register(schedules, { cron: "*/2 * * * *" });
      await advance(SILENT_MS - 2 * tickMs);
      expect(await register(schedules, {}, "keep")).toEqual(next);
      await advance(3 * tickMs);
      expect(await register(schedules, {}, "keep")).toMatchObject({
        cron: "* * * * *",
        revision: 3,
        since: expect.any(Number),
      });
    });

    test("does not take one for silent whose instances say again that they have it", async ({ schedules, advance }) => {
      await register(schedules);
      await register(schedules, { cron: "*/2 * * * *" });
      for (let n = 0; n < 4; n++) {
        await advance(SILENT_MS / 2);
        await register(schedules, { cron: "*/2 * * * *" }, "keep");
      }
      expect(await register(schedules, {}, "keep")).toMatchObject({ cron: "*/2 * * * *", revision: 2 });
    });

    test("keeps the schedule of a definition that has none any more, and begins nothing", async (under) => {
      const { schedules } = under;
      const row = await registeredFor(under, 2);
      const known = await begun(schedules, tickAt(row, 1));
      const { rows } = await schedules.register([{ name: NAME, schedule: null }], "begin");
      expect(rows).toEqual([
        { ...known, active: false, revision: 2, registeredAt: expect.any(Number), seenAt: expect.any(Number) },
      ]);
      expect((await schedules.tick(tickAt(rows[0] ?? row, 2))).kind).toBe("resting");
      const again = await register(schedules);
      expect(again).toMatchObject({ active: true, revision: 3, lastTick: null, lastRun: known.lastRun });
    });

    test("knows nothing of a definition that never had a schedule", async ({ schedules }) => {
      expect((await schedules.register([{ name: NAME, schedule: null }], "begin")).rows).toEqual([]);
      expect((await schedules.list()).rows).toEqual([]);
    });

    test("begins anew from now when the clock was set back by more than a minute", async (under) => {
      const { schedules, advance, store, near } = under;
      const row = await registeredFor(under, 10);
      const known = await begun(schedules, tickAt(row, 10));
      await advance(-MINUTE_MS + 5_000);
      expect(await register(schedules, {}, "keep")).toMatchObject({ lastTick: known.lastTick, note: null });
      await advance(-5 * MINUTE_MS);
      const anew = await register(schedules, {}, "keep");
      const now = await store.now();
      expect(anew).toMatchObject({ lastTick: null, since: near(now), note: { kind: "clock", at: near(now) } });
      expect(anew.revision).toBe(known.revision);
    });

    test("is registered once by many who do so at once", async ({ schedules, another }) => {
      const stores = [schedules, await another()];
      const names = Array.from({ length: 5 }, (_, n) => ({ name: `s${n}`, schedule: plan() }));
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, n) => (stores[n % 2] ?? schedules).register(names, "begin")),
      );
      for (const { rows } of answers) expect(rows.map(({ revision }) => revision)).toEqual([1, 1, 1, 1, 1]);
    });

    for (const [what, text] of POISON)
      test(`refuses ${what} in a name, and leaves the others alone`, async ({ schedules }) => {
        await expect(schedules.register([{ name: text, schedule: plan() }], "begin")).rejects.toMatchObject({
          code: "input-invalid",
        });
        expect((await register(schedules)).revision).toBe(1);
      });
  });

  describe("list", () => {
    test("gives the store's time", async ({ schedules, store, near }) => {
      await register(schedules);
      expect((await schedules.list()).now).toEqual(near(await store.now()));
      expect((await rowOf(schedules)).name).toBe(NAME);
    });
  });
}
