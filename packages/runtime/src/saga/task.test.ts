import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JournalRecord } from "../engine/records.js";
import { BusinessRefusal } from "../errors.js";
import type { Json } from "../json.js";
import { hangs, SagaBench, STORE_KINDS } from "../testing/saga-bench.test.support.js";
import type { SagaManager } from "./manager.js";
import { task } from "./task.js";

const HOUR_MS = 3_600_000;
const by = { actor: "ann", reason: "because" };

describe.each(STORE_KINDS)("a task that is a function, over %s", (kind) => {
  let bench: SagaBench;
  let log: string[];
  beforeEach(async () => {
    bench = await SagaBench.create(kind);
    log = [];
  });
  afterEach(() => bench.close());

  /** Work that tells of itself. */
  const does =
    (name: string, gives: Json = name) =>
    (): Json => {
      log.push(name);
      return gives;
    };
  const records = async (manager: SagaManager, id: string): Promise<JournalRecord[]> =>
    (await bench.until(manager.journal(id))).flatMap((row) => [...row.records]);

  it("gives what the function returns, with one row for each checkpoint", async () => {
    const sum = task<{ by: number }>("sum", async ({ input, checkpoint }) => {
      const one = await checkpoint("one", () => 1);
      const two = await checkpoint("two", async () => one + input.by);
      const nothing: null = await checkpoint("nothing", () => undefined);
      return { two, nothing };
    });
    const manager = await bench.open([sum]);
    const run = await bench.toEnd(manager, "sum", { by: 4 });
    expect(run).toMatchObject({ type: "task", status: "completed", output: { two: 5, nothing: null } });
    const rows = await bench.until(manager.journal(run.id));
    expect(rows.map((row) => row.records.map(({ kind }) => kind))).toEqual([
      ["dispatched"],
      ["saved"],
      ["saved"],
      ["saved"],
      ["completed", "finished"],
    ]);
    expect(manager.definitions()[0]).toMatchObject({ name: "sum", type: "task" });
  });

  it("does again what failed, from the last checkpoint on, under the same key", async () => {
    const keys: string[] = [];
    let failures = 0;
    const flaky = task("flaky", async ({ checkpoint, idempotencyKey }) => {
      await checkpoint("a", does("a"));
      await checkpoint("b", ({ idempotencyKey: key }) => {
        keys.push(key);
        if (failures++ < 2) throw new Error("down");
        return does("b")();
      });
      return idempotencyKey("b");
    });
    const manager = await bench.open([flaky]);
    const run = await bench.toEnd(manager, "flaky");
    expect(run).toMatchObject({ status: "completed", output: `${run.id}:task/b` });
    expect(log).toEqual(["a", "b"]);
    expect(new Set(keys)).toEqual(new Set([`${run.id}:task/b`]));
    expect(keys).toHaveLength(3);
  });

  it("counts failures from the last checkpoint, not from the start", async () => {
    const tries = new Map<number, number>();
    const long = task(
      "long",
      async ({ checkpoint }) => {
        for (let n = 0; n < 5; n++) {
          await checkpoint(`part-${n}`, () => {
            tries.set(n, (tries.get(n) ?? 0) + 1);
            if (tries.get(n) === 1) throw new Error("once");
            return n;
          });
        }
      },
      { retry: { maxAttempts: 2 } },
    );
    const run = await bench.toEnd(await bench.open([long]), "long");
    expect(run.status).toBe("completed");
    expect([...tries.values()]).toEqual([2, 2, 2, 2, 2]);
  });

  it("ends failed when a checkpoint is refused, or attempts are spent", async () => {
    const refused = task("refused", async ({ checkpoint }) => {
      await checkpoint("a", does("a"));
      await checkpoint("b", () => {
        throw new BusinessRefusal("no money", "declined");
      });
    });
    const broken = task(
      "broken",
      () => {
        log.push("tried");
        throw new Error("down");
      },
      { retry: { maxAttempts: 3 } },
    );
    const manager = await bench.open([refused, broken]);
    const run = await bench.toEnd(manager, "refused");
    expect(run).toMatchObject({
      ...{ status: "failed", rollbackStatus: "none", error: { code: "declined", message: "no money" } },
    });
    expect(log).toEqual(["a"]);
    expect(await bench.toEnd(manager, "broken")).toMatchObject({ status: "failed", error: { code: "handler-threw" } });
    expect(log).toEqual(["a", "tried", "tried", "tried"]);
  });

  it("goes the same way again after an error that the function caught", async () => {
    let down = true;
    const careful = task("careful", async ({ checkpoint, attempt }) => {
      const first = await checkpoint("first", () => {
        log.push("first");
        if (down) throw new Error("first is down");
        return "first";
      }).catch((error: Error) => error.message);
      await checkpoint("second", does("second"));
      if (attempt === 1) {
        down = false;
        throw new Error("crash");
      }
      return first;
    });
    const run = await bench.toEnd(await bench.open([careful]), "careful");
    expect(run).toMatchObject({ status: "completed", output: "first is down" });
    expect(log).toEqual(["first", "second"]);
  });

  it("works on several checkpoints at once, and repeats those alone that were not saved", async () => {
    let failing = true;
    const wide = task("wide", async ({ checkpoint }) => {
      const parts = await Promise.all(
        [0, 1, 2].map((n) =>
          checkpoint(`part-${n}`, async () => {
            log.push(`part-${n}`);
            await bench.later(10 * n);
            if (n === 2 && failing) {
              failing = false;
              throw new Error("down");
            }
            return n;
          }),
        ),
      );
      return checkpoint("sum", () => parts.reduce((sum, n) => sum + n, 0));
    });
    const run = await bench.toEnd(await bench.open([wide]), "wide");
    expect(run).toMatchObject({ status: "completed", output: 3 });
    expect(log).toEqual(["part-0", "part-1", "part-2", "part-2"]);
  });

  it("costs nothing while it sleeps for long, and goes on where it was, in another process too", async () => {
    const night = task(
      "night",
      async ({ checkpoint, sleep }) => {
        await checkpoint("evening", does("evening"));
        await sleep("sleep", "1m");
        await checkpoint("morning", does("morning"));
      },
      { timeout: "2h" },
    );
    const first = await bench.open([night]);
    const { id } = await bench.until(first.start("night", {}));
    await bench.toStatus(first, id, "waiting");
    const asleepAt = bench.clock.now();
    expect((await first.metrics()).activeRuns).toBe(0);
    await bench.pass(20_000);
    await bench.until(first.close(0));
    const second = await bench.open([night]);
    const run = await bench.until(second.wait(id, HOUR_MS));
    expect(run.status).toBe("completed");
    expect(log).toEqual(["evening", "morning"]);
    const sleptMs = (run.endedAt ?? 0) - asleepAt;
    expect(sleptMs).toBeGreaterThanOrEqual(60_000 - 1_000);
    expect(sleptMs).toBeLessThan(60_000 + 5_000);
  });

  it("stays in memory for a short sleep, and sleeps until a time", async () => {
    const until = bench.clock.now() + 20_000;
    const nap = task("nap", async ({ attempt, sleep }) => {
      await sleep("short", "2s");
      const before = attempt;
      await sleep("long", new Date(until));
      await sleep("past", new Date(0));
      return [before, attempt];
    });
    const run = await bench.toEnd(await bench.open([nap]), "nap");
    expect(run).toMatchObject({ status: "completed", output: [2, 2] });
    expect(run.endedAt).toBeGreaterThanOrEqual(until);
    expect(run.steps[0]?.attempts).toBe(2);
  });

  it("takes a signal that it waits for, one that came early, and goes on when none comes", async () => {
    const asks = task(
      "asks",
      async ({ waitFor }) => {
        const early = await waitFor("early");
        const first = await waitFor("answer", { name: "first", timeout: "1h" });
        const second = await waitFor("answer", { name: "second", timeout: "1m" });
        const third = await waitFor("answer", { name: "third", timeout: "2s" });
        return [early ?? null, first ?? null, second ?? "none", third ?? "none"];
      },
      { timeout: "24h" },
    );
    const manager = await bench.open([asks]);
    const { id } = await bench.until(manager.start("asks", {}));
    await bench.until(manager.signal(id, "early", 1, by));
    await bench.toStatus(manager, id, "waiting");
    await bench.until(manager.signal(id, "answer", { yes: true }, by));
    const run = await bench.until(manager.wait(id, HOUR_MS));
    expect(run).toMatchObject({ status: "completed", output: [1, { yes: true }, "none", "none"] });
    expect((run.endedAt ?? 0) - run.createdAt).toBeGreaterThanOrEqual(60_000);
  });

  it("goes on with other work while one part of it sleeps", async () => {
    const both = task(
      "both",
      async ({ checkpoint, sleep }) => {
        const slept = sleep("slow", "1m").then(does("slept"));
        await checkpoint("a", does("a"));
        await bench.later(500);
        await checkpoint("b", does("b"));
        await slept;
      },
      { timeout: "1h" },
    );
    const run = await bench.toEnd(await bench.open([both]), "both");
    expect(run.status).toBe("completed");
    expect(log).toEqual(["a", "b", "slept"]);
  });

  it("ends canceled once the function has come to its end", async () => {
    const stops = task("stops", async ({ signal, checkpoint }) => {
      await checkpoint("work", async () => {
        await hangs({ signal }).catch(() => bench.later(2_000));
        return does("tidied")();
      });
      await checkpoint("never", does("never"));
    });
    const manager = await bench.open([stops]);
    const { id } = await bench.until(manager.start("stops", {}));
    await bench.until(manager.act(id, "cancel", by));
    const run = await bench.until(manager.wait(id, HOUR_MS));
    expect(run.status).toBe("cancelled");
    expect(log).toEqual(["tidied"]);
    expect((run.endedAt ?? 0) - run.createdAt).toBeGreaterThanOrEqual(2_000);
  });

  it("leaves a canceled function to itself that does not end", async () => {
    const deaf = task("deaf", ({ checkpoint }) => checkpoint("deaf", () => new Promise<null>(() => {})));
    const manager = await bench.open([deaf]);
    const { id } = await bench.until(manager.start("deaf", {}));
    await bench.until(manager.act(id, "cancel", by));
    const run = await bench.until(manager.wait(id, HOUR_MS));
    expect(run.status).toBe("cancelled");
    expect((run.endedAt ?? 0) - run.createdAt).toBeGreaterThanOrEqual(10_000);
    expect((run.endedAt ?? 0) - run.createdAt).toBeLessThan(15_000);
  });

  it("is canceled in its sleep at once", async () => {
    const sleeps = task("sleeps", ({ sleep }) => sleep("long", "8h"), { timeout: "24h" });
    const manager = await bench.open([sleeps]);
    const { id } = await bench.until(manager.start("sleeps", {}));
    await bench.toStatus(manager, id, "waiting");
    await bench.until(manager.act(id, "cancel", by));
    const run = await bench.until(manager.wait(id, HOUR_MS));
    expect(run.status).toBe("cancelled");
    expect((run.endedAt ?? 0) - run.createdAt).toBeLessThan(30_000);
  });

  it("stops at its next checkpoint when it is paused, and goes on when resumed", async () => {
    const steps = task("steps", async ({ checkpoint }) => {
      for (let n = 0; n < 3; n++)
        await checkpoint(`part-${n}`, async () => {
          await bench.later(5_000);
          return does(`part-${n}`)();
        });
    });
    const manager = await bench.open([steps]);
    const { id } = await bench.until(manager.start("steps", {}));
    await bench.until(manager.act(id, "pause", by));
    await bench.toStatus(manager, id, "paused");
    await bench.pass(30_000);
    expect(log).toEqual(["part-0"]);
    await bench.until(manager.act(id, "resume", by));
    expect(await bench.until(manager.wait(id, HOUR_MS))).toMatchObject({ status: "completed" });
    expect(log).toEqual(["part-0", "part-1", "part-2"]);
  });

  it("hands itself to the next instance at its next checkpoint when its own one ends", async () => {
    const moves = task("moves", async ({ checkpoint }) => {
      for (let n = 0; n < 3; n++)
        await checkpoint(`part-${n}`, async () => {
          await bench.later(2_000);
          return does(`part-${n}`)();
        });
    });
    const first = await bench.open([moves]);
    const { id } = await bench.until(first.start("moves", {}));
    await bench.until(first.close());
    expect(log).toEqual(["part-0"]);
    const second = await bench.open([moves]);
    expect(await bench.until(second.wait(id, HOUR_MS))).toMatchObject({ status: "completed" });
    expect(log).toEqual(["part-0", "part-1", "part-2"]);
    expect((await records(second, id)).some((record) => record.kind === "claimed" && record.crashed)).toBe(false);
  });

  it("is out of time as a whole, and in one execution", async () => {
    const whole = task("whole", ({ signal }) => hangs({ signal }), { timeout: "5s" });
    const once = task("once", ({ signal, attempt }) => (attempt === 1 ? hangs({ signal }) : "done"), {
      attemptTimeout: "5s",
    });
    const manager = await bench.open([whole, once]);
    expect(await bench.toEnd(manager, "whole")).toMatchObject({ status: "failed", error: { code: "run-timeout" } });
    const run = await bench.toEnd(manager, "once");
    expect(run).toMatchObject({ status: "completed", output: "done" });
    expect(await records(manager, run.id)).toContainEqual(
      expect.objectContaining({ kind: "failed", error: expect.objectContaining({ code: "timeout" }) }),
    );
  });

  it("is no other function because it ends early when it is told to", async () => {
    const early = task(
      "early",
      async ({ checkpoint, signal, attempt }) => {
        if (attempt === 2) return hangs({ signal }).catch(() => "early");
        await checkpoint("a", does("a"));
        if (attempt === 1) throw new Error("down");
        return "done";
      },
      { attemptTimeout: "5s" },
    );
    const run = await bench.toEnd(await bench.open([early]), "early");
    expect(run).toMatchObject({ status: "completed", output: "done", steps: [{ attempts: 3 }] });
  });

  it("shows how far it is, in few rows", async () => {
    const told = task("told", async ({ progress, checkpoint }) => {
      for (let n = 0; n < 100; n++) {
        progress({ done: n });
        await bench.later(100);
      }
      await checkpoint("half", () => null);
      await bench.later(30_000);
    });
    const manager = await bench.open([told]);
    const { id } = await bench.until(manager.start("told", {}));
    await bench.pass(4_000);
    const { done } = (await manager.get(id)).progress as { done: number };
    expect(done).toBeGreaterThanOrEqual(25);
    expect(done).toBeLessThan(45);
    const run = await bench.until(manager.wait(id, HOUR_MS));
    expect(run).toMatchObject({ status: "completed", progress: { done: 99 } });
    const rows = (await records(manager, id)).filter((record) => record.kind === "progressed");
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.length).toBeLessThanOrEqual(11);
  });
});
