import { describe, expect } from "vitest";
import { activate, renewed, runId } from "../run-store-contract/harness.js";
import {
  begun,
  lead,
  MINUTE_MS,
  registeredFor,
  rowIn,
  type ScheduleBench,
  type ScheduleTest,
  tickAt,
} from "./harness.js";

async function cancelsSent({ store }: ScheduleBench, run: string): Promise<readonly unknown[]> {
  await activate(store, "worker");
  await store.claim({ worker: "worker", definitions: [{ name: "order", version: "v1" }], limit: 10 });
  const result = await renewed(store, "worker", [run]);
  return result.kind === "active" ? result.inbox.map(({ kind, name, actor }) => ({ kind, name, actor })) : [];
}

export function canceling(test: ScheduleTest): void {
  describe("a tick that cancels the run of the one before", () => {
    test("asks it to in the same write, and begins when it has ended", async (under) => {
      const { schedules, store } = under;
      const row = await begun(schedules, tickAt(await registeredFor(under, 3, { overlap: "cancel" }), 1));
      const waiting = row.since + 2 * MINUTE_MS;
      const second = await schedules.tick(tickAt(row, 2));
      expect(second).toMatchObject({ kind: "waits", row: { waiting, skipped: 0 }, canceled: [runId(1)] });
      expect(await cancelsSent(under, runId(1))).toEqual([{ kind: "verb", name: "cancel", actor: "schedule" }]);
      const release = tickAt(rowIn(second), 2, { how: "waiting" });
      expect((await schedules.tick(release)).kind).toBe("held");
      await lead(store, runId(1), "cancelled");
      expect((await schedules.tick(release)).kind).toBe("started");
    });

    test("asks it once, and of several that wait the newest begins", async (under) => {
      const { schedules, store } = under;
      const row = await begun(schedules, tickAt(await registeredFor(under, 4, { overlap: "cancel" }), 1));
      const second = rowIn(await schedules.tick(tickAt(row, 2)));
      const third = await schedules.tick(tickAt(second, 3));
      const waiting = row.since + 3 * MINUTE_MS;
      expect(third).toMatchObject({ kind: "waits", row: { waiting, skipped: 1 }, canceled: [] });
      expect(await cancelsSent(under, runId(1))).toHaveLength(1);
      await lead(store, runId(1), "cancelled");
      expect((await schedules.tick(tickAt(rowIn(third), 2, { how: "waiting" }))).kind).toBe("passed");
      expect((await schedules.tick(tickAt(rowIn(third), 3, { how: "waiting" }))).kind).toBe("started");
    });

    test("leaves a stuck one to its operator", async (under) => {
      const { schedules, store } = under;
      const row = await begun(schedules, tickAt(await registeredFor(under, 2, { overlap: "cancel" }), 1));
      await lead(store, runId(1), "stuck");
      expect((await schedules.tick(tickAt(row, 2))).kind).toBe("started");
      expect((await store.get(runId(1)))?.wakeAt).toBeNull();
    });
  });
}
