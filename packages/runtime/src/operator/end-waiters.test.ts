import { beforeEach, describe, expect, it } from "vitest";
import { RuntimeError } from "../errors.js";
import { passTimeUntil } from "../simulation/virtual-time.js";
import { createManualClock, type ManualClock } from "../testing/manual-clock.js";
import { EndWaiters } from "./end-waiters.js";
import type { RunView } from "./views.js";

describe("those who wait for runs to end", () => {
  let clock: ManualClock;
  let waiters: EndWaiters;
  let looks: string[];
  let atOnce: number;
  let mostAtOnce: number;
  let drivenHere: Set<string>;
  let statuses: Map<string, "running" | "completed">;

  beforeEach(() => {
    clock = createManualClock();
    looks = [];
    atOnce = 0;
    mostAtOnce = 0;
    drivenHere = new Set();
    statuses = new Map();
    waiters = new EndWaiters({
      clock,
      drives: (run) => drivenHere.has(run),
      read: async (run) => {
        looks.push(run);
        atOnce += 1;
        mostAtOnce = Math.max(mostAtOnce, atOnce);
        await Promise.resolve();
        atOnce -= 1;
        const status = statuses.get(run);
        if (status === undefined) throw new RuntimeError("run-not-found", "expected the id of a run");
        return { ended: status === "completed", view: async () => view(run, status) };
      },
    });
  });

  const view = (id: string, status: string): RunView => ({ id, status }) as RunView;
  const until = <T>(promise: Promise<T>): Promise<T> => passTimeUntil(clock, promise);

  it("are told of a run driven here without a look at the store", async () => {
    drivenHere.add("a");
    const both = [waiters.wait("a", 60_000), waiters.wait("a", 60_000)];
    waiters.ended("a", view("a", "completed"));
    expect(await Promise.all(both)).toEqual([view("a", "completed"), view("a", "completed")]);
    expect(looks).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it("cost one look at a time, however many of them wait for a run driven elsewhere", async () => {
    statuses.set("a", "running");
    const hundred = Array.from({ length: 100 }, () => waiters.wait("a", 60_000));
    clock.after(1_900, () => statuses.set("a", "completed"));
    const views = await until(Promise.all(hundred));
    expect(new Set(views.map(({ status }) => status))).toEqual(new Set(["completed"]));
    // At once, once more for those who came during it, and then every half second.
    expect(looks.length).toBeLessThanOrEqual(6);
  });

  it("are looked after for so many runs at a time, and all of them hear", async () => {
    const runs = Array.from({ length: 50 }, (_, index) => `run ${index}`);
    for (const run of runs) statuses.set(run, "running");
    const all = runs.map((run) => waiters.wait(run, 60_000));
    clock.after(200, () => {
      looks.length = 0;
      mostAtOnce = 0;
      for (const run of runs) statuses.set(run, "completed");
    });
    const views = await until(Promise.all(all));
    expect(views.map(({ id }) => id)).toEqual(runs);
    expect([looks.length, mostAtOnce]).toEqual([50, 20]);
  });

  it("are each answered when their own time is up", async () => {
    drivenHere.add("a");
    statuses.set("a", "running");
    const begin = clock.monotonic();
    const times = await until(
      Promise.all([700, 20, 300].map((ms) => waiters.wait("a", ms).then(() => clock.monotonic() - begin))),
    );
    expect(times).toEqual([700, 20, 300]);
  });

  it("are answered at once when they give no time", async () => {
    statuses.set("a", "running");
    const first = waiters.wait("a", 60_000);
    expect(await until(waiters.wait("a", 0))).toEqual(view("a", "running"));
    waiters.close();
    await expect(first).rejects.toMatchObject({ code: "runtime-stopped" });
  });

  it("see the end of a run that this process lost to another", async () => {
    drivenHere.add("a");
    statuses.set("a", "running");
    const waiting = waiters.wait("a", 60_000);
    drivenHere.delete("a");
    statuses.set("a", "completed");
    expect(await until(waiting)).toEqual(view("a", "completed"));
  });

  it("are refused when there is no such run, and when nobody will tell any more", async () => {
    await expect(waiters.wait("nobody", 60_000)).rejects.toMatchObject({ code: "run-not-found" });
    drivenHere.add("a");
    const waiting = waiters.wait("a", 60_000);
    waiters.close();
    await expect(waiting).rejects.toMatchObject({ code: "runtime-stopped" });
    await expect(waiters.wait("a", 60_000)).rejects.toMatchObject({ code: "runtime-stopped" });
    expect(clock.pending).toBe(0);
  });
});
