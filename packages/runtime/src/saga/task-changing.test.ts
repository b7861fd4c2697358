import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SagaBench } from "../testing/saga-bench.test.support.js";
import type { SagaManager } from "./manager.js";
import { task } from "./task.js";
import type { TaskCall, TaskFunction } from "./task-call.js";

const by = { actor: "ann", reason: "mended" };

/** A task under way whose function is another one when it goes on: after a deployment. */
describe("a task whose function changes", () => {
  let bench: SagaBench;
  let log: string[];
  beforeEach(async () => {
    bench = await SagaBench.create("memory");
    log = [];
  });
  afterEach(() => bench.close());

  const step = ({ checkpoint }: TaskCall, name: string): Promise<string> =>
    checkpoint(name, () => {
      log.push(name);
      return name;
    });
  const changing = (run: TaskFunction) => task("changing", run, { timeout: "2h" });

  /** Asleep after `before`, then led on by `after` in another process, up to its end or until it is stuck. */
  const follow = async (before: TaskFunction, after: TaskFunction): Promise<{ manager: SagaManager; id: string }> => {
    const first = await bench.open([changing(before)]);
    const { id } = await bench.until(first.start("changing", {}));
    await bench.toStatus(first, id, "waiting");
    await bench.until(first.close(0));
    const manager = await bench.open([changing(after)]);
    return { manager, id };
  };
  const before: TaskFunction = async (call) => {
    await step(call, "a");
    await step(call, "b");
    await call.sleep("night", "1m");
    await step(call, "c");
  };

  it.each<[string, TaskFunction, string]>([
    [
      "does another thing at a place",
      async (call) => {
        await step(call, "a");
        await step(call, "x");
      },
      'expected "b" in place 2, as it was before, got "x"',
    ],
    [
      "does things in another order",
      async (call) => {
        await step(call, "b");
        await step(call, "a");
      },
      'expected "a" in place 1, as it was before, got "b"',
    ],
    [
      "does another kind of thing under a name",
      async (call) => {
        await call.sleep("a", "1s");
      },
      'expected a checkpoint named "a", as it was before, got a sleep',
    ],
    ["leaves something out at its end", (call) => step(call, "a"), 'expected "b" to be done, as it was before'],
  ])("is parked when it %s, and goes on when it is mended", async (_, after, message) => {
    const { manager, id } = await follow(before, after);
    await bench.toStatus(manager, id, "stuck");
    const { error } = await manager.get(id);
    expect(error?.code).toBe("task-diverged");
    expect(error?.message).toContain(message);
    expect(error?.message).toContain("mend the function, or guard what is new with patch(id), and resume the run");
    expect(log).toEqual(["a", "b"]);

    await bench.until(manager.close(0));
    const mended = await bench.open([changing(before)]);
    await bench.until(mended.act(id, "resume", by));
    expect(await bench.until(mended.wait(id, 3_600_000))).toMatchObject({ status: "completed" });
    expect(log).toEqual(["a", "b", "c"]);
  });

  it("takes the new way where it has not passed, the old one where it has, and stays with it", async () => {
    const answers: boolean[] = [];
    const after: TaskFunction = async (call) => {
      const early = call.patch("early");
      await step(call, "a");
      if (early) await step(call, "a-more");
      await step(call, "b");
      await call.sleep("night", "1m");
      const late = call.patch("late");
      if (late) await step(call, "b-more");
      await call.sleep("second-night", "1m");
      answers.push(early, late);
      await step(call, "c");
    };
    const { manager, id } = await follow(before, after);
    expect(await bench.until(manager.wait(id, 3_600_000))).toMatchObject({ status: "completed" });
    expect(log).toEqual(["a", "b", "b-more", "c"]);
    expect(answers).toEqual([false, true]);
    const records = (await manager.journal(id)).flatMap((row) => row.records);
    expect(records.filter(({ kind }) => kind === "patched")).toEqual([
      { kind: "patched", step: "task", patch: "early", isTaken: false },
      { kind: "patched", step: "task", patch: "late", isTaken: true },
    ]);
    log.length = 0;
    await bench.toEnd(manager, "changing");
    expect(log).toEqual(["a", "a-more", "b", "b-more", "c"]);
  });

  it("may lose a patch that all runs have", async () => {
    const patched: TaskFunction = async (call) => {
      if (call.patch("p")) await step(call, "new");
      await call.sleep("night", "1m");
    };
    const clean: TaskFunction = async (call) => {
      await step(call, "new");
      await call.sleep("night", "1m");
    };
    const { manager, id } = await follow(patched, clean);
    expect(await bench.until(manager.wait(id, 3_600_000))).toMatchObject({ status: "completed" });
    expect(log).toEqual(["new"]);
  });

  it("minds no order of what goes on at once", async () => {
    const wide =
      (names: readonly string[], more: boolean): TaskFunction =>
      async (call) => {
        await Promise.all(names.map((name) => step(call, name)));
        await call.sleep("night", "1m");
        if (more) await step(call, "more");
      };
    const { manager, id } = await follow(wide(["a", "b", "c"], false), wide(["c", "a", "b"], true));
    expect(await bench.until(manager.wait(id, 3_600_000))).toMatchObject({ status: "completed" });
    expect(log).toEqual(["a", "b", "c", "more"]);
  });

  it.each<[string, TaskFunction, string, string]>([
    [
      "uses a name twice",
      async (call) => {
        await step(call, "a");
        await step(call, "a");
      },
      "definition-invalid",
      'expected each name once in an execution, got "a" again',
    ],
    ["uses no name", (call) => step(call, ""), "definition-invalid", "expected a name of 1 to 200 characters"],
    [
      "saves too much at once",
      (call) => call.checkpoint("large", () => "x".repeat(1_100_000)),
      "payload-too-large",
      'expected what checkpoint "large" saves of at most 1048576 bytes',
    ],
    [
      "saves too much in all",
      async (call) => {
        for (let n = 0; n < 70; n++) await call.checkpoint(`large-${n}`, () => "x".repeat(1_000_000));
      },
      "payload-too-large",
      "expected a run to save at most 67108864 bytes",
    ],
    [
      "saves what is no JSON",
      (call) => call.checkpoint("big", () => 1n),
      "input-invalid",
      'expected what checkpoint "big" saves to be JSON',
    ],
    [
      "saves too often",
      async (call) => {
        await Promise.all(Array.from({ length: 10_001 }, (__, n) => call.checkpoint(`n-${n}`, () => n)));
      },
      "too-many-checkpoints",
      "expected at most 10000 checkpoints and waits in a run",
    ],
  ])("fails at once when it %s, whatever it catches", async (_, run, code, message) => {
    const caught = task("caught", async (call) => {
      try {
        return await run(call);
      } catch {
        return "caught";
      }
    });
    const ended = await bench.toEnd(await bench.open([caught]), "caught");
    expect(ended).toMatchObject({ status: "failed", error: { code } });
    expect(ended.error?.message).toContain(message);
    expect(ended.steps[0]?.attempts).toBe(1);
  });

  it("finishes with the version that it began with, and waits for it visibly", async () => {
    const first = task(
      "versioned",
      async (call) => {
        await call.sleep("night", "1m");
        return "first";
      },
      { timeout: "2h" },
    );
    const second = task("versioned", () => "second", { version: "2" });
    const old = await bench.open([first], {}, { label: "old" });
    const { id } = await bench.until(old.start("versioned", {}));
    await bench.toStatus(old, id, "waiting");
    await bench.until(old.close(0));
    const fresh = await bench.open([second]);
    await bench.pass(100_000);
    expect((await fresh.get(id)).status).toBe("waiting");
    expect(await fresh.health()).toMatchObject({ detail: expect.stringContaining(`versioned@${first.version} (1)`) });
    expect((await bench.toEnd(fresh, "versioned")).output).toBe("second");
    await bench.until(fresh.close(0));
    const both = await bench.open([first, second]);
    expect(await bench.until(both.wait(id, 60_000))).toMatchObject({ status: "completed", output: "first" });
  });
});
