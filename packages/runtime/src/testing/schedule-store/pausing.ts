import { describe, expect } from "vitest";
import { newRun, POISON } from "../run-store-contract/harness.js";
import { begun, NAME, register, registeredFor, rowOf, type ScheduleTest, tickAt } from "./harness.js";

const BY = { actor: "ann", reason: "the bank is closed" };

export function pausing(test: ScheduleTest): void {
  describe("pause", () => {
    test("begins no run until it is resumed, and says who and why", async (under) => {
      const { schedules, store, near } = under;
      const row = await registeredFor(under, 2);
      expect(await schedules.pause(NAME, BY)).toBe(true);
      const paused = await rowOf(schedules);
      expect(paused).toEqual({ ...row, paused: { ...BY, at: near(await store.now()) } });
      expect(await schedules.tick(tickAt(row, 1))).toEqual({ kind: "resting", row: paused });
      expect(await schedules.resume(NAME)).toBe(true);
      expect(await rowOf(schedules)).toEqual(row);
      expect((await schedules.tick(tickAt(row, 1))).kind).toBe("started");
    });

    test("keeps who paused it first, and is resumed once", async (under) => {
      const { schedules } = under;
      await registeredFor(under, 1);
      await schedules.pause(NAME, BY);
      const paused = await rowOf(schedules);
      expect(await schedules.pause(NAME, { actor: "bob", reason: "too" })).toBe(true);
      expect(await rowOf(schedules)).toEqual(paused);
      expect([await schedules.resume(NAME), await schedules.resume(NAME)]).toEqual([true, true]);
    });

    test("outlives another registration, and does not stop a run by hand", async (under) => {
      const { schedules } = under;
      await registeredFor(under, 1);
      await schedules.pause(NAME, BY);
      const next = await register(schedules, { cron: "*/5 * * * *" });
      expect(next.paused).toMatchObject(BY);
      const run = { ...newRun(1, { key: "by hand" }), claim: null };
      expect((await begun(schedules, tickAt(next, 0, { how: "by-hand", run }))).paused).toMatchObject(BY);
    });

    test("of an unknown schedule is false", async ({ schedules }) => {
      expect(await schedules.pause("nobody's", BY)).toBe(false);
      expect(await schedules.resume("nobody's")).toBe(false);
    });

    for (const [what, text] of POISON)
      test(`refuses ${what} in a reason`, async (under) => {
        const { schedules } = under;
        const row = await registeredFor(under, 1);
        await expect(schedules.pause(NAME, { ...BY, reason: text })).rejects.toMatchObject({ code: "input-invalid" });
        expect(await rowOf(schedules)).toEqual(row);
      });
  });
}
