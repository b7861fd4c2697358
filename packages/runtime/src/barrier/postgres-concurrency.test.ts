import { describe, expect, it } from "vitest";
import { BusinessRefusal } from "../errors.js";
import { SeededRandom } from "../simulation/seeded-random.js";
import type { Barrier, BarrierCall } from "./barrier.js";
import { compensation, step } from "./barrier-contract.test.support.js";
import { gate, held, never, postgresForTests, type Tx } from "./postgres-barrier.test.support.js";

const { open, query, waiting } = postgresForTests();

describe("calls at the same time on PostgreSQL", () => {
  it("have one effect and one answer, be they fifty", async () => {
    const under = await open();
    const barriers = [under.barrier, under.another(), under.another({ connections: 1 })];
    let runs = 0;
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        (barriers[index % 3] as Barrier<Tx>).run(
          step("pay"),
          under.doing("pay", () => {
            runs += 1;
            return { by: index };
          }),
        ),
      ),
    );
    expect(runs).toBe(1);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await under.effects()).toEqual(["pay"]);
    await under.close();
  });

  it("let copies in one process wait without a connection, so that other calls go on", async () => {
    const under = await open();
    const barrier = under.another({ connections: 2 });
    const first = held(under, "pay");
    const calls = [barrier.run(step("pay"), first.handler)];
    await first.entered;
    for (let copy = 0; copy < 20; copy++) calls.push(barrier.run(step("pay"), never));
    expect(
      await barrier.run(
        step("ship"),
        under.doing("ship", () => "shipped"),
      ),
    ).toBe("shipped");
    first.release();
    expect(new Set(await Promise.all(calls))).toEqual(new Set(["pay"]));
    await under.close();
  });

  it("let a copy in another process wait for the first, and try itself when that one fails", async () => {
    const under = await open();
    const first = held(under, "pay", () => {
      throw new Error("fault");
    });
    const failing = under.barrier.run(step("pay"), first.handler);
    await first.entered;
    const second = under.another().run(
      step("pay"),
      under.doing("pay", () => "by the second"),
    );
    await waiting(1);
    first.release();
    await expect(failing).rejects.toThrow("fault");
    expect(await second).toBe("by the second");
    expect(await under.effects()).toEqual(["pay"]);
    await under.close();
  });

  it("tell a copy that waited too long that the call is in progress, in either process", async () => {
    const under = await open();
    const first = held(under, "pay");
    const [near, far] = [under.another({ waitMs: 50 }), under.another({ waitMs: 50 })];
    const working = near.run(step("pay"), first.handler);
    await first.entered;
    for (const barrier of [near, far]) {
      await expect(barrier.run(step("pay"), never)).rejects.toMatchObject({ code: "in-progress", retry: true });
      await expect(barrier.run(compensation("pay"), never)).rejects.toMatchObject({ code: "in-progress" });
    }
    first.release();
    expect(await working).toBe("pay");
    expect(await far.run(step("pay"), never)).toBe("pay");
    await under.close();
  });

  it.each(["the same process", "another"])("let a compensation wait for its step in %s", async (where) => {
    const under = await open();
    const first = held(under, "pay", () => ({ charge: "ch_1" }));
    const charging = under.barrier.run(step("pay"), first.handler);
    await first.entered;
    let given: unknown;
    const undo = (where === "another" ? under.another() : under.barrier).run(compensation("pay"), (tx, answered) => {
      given = answered;
      return under.undoing("pay")(tx, answered);
    });
    if (where === "another") await waiting(1);
    first.release();
    expect(await charging).toEqual({ charge: "ch_1" });
    expect(await undo).toBeNull();
    expect(given).toEqual({ charge: "ch_1" });
    expect(await under.effects()).toEqual([]);
    await under.close();
  });

  it("let a compensation be empty when the step it waited for fails", async () => {
    const under = await open();
    const first = held(under, "pay", () => {
      throw new Error("fault");
    });
    const charging = under.barrier.run(step("pay"), first.handler);
    await first.entered;
    const undo = under.another().run(compensation("pay"), never);
    await waiting(1);
    first.release();
    await expect(charging).rejects.toThrow("fault");
    expect(await undo).toBeNull();
    await expect(under.barrier.run(step("pay"), never)).rejects.toMatchObject({ code: "compensated" });
    await under.close();
  });

  it("let a late step wait for its compensation, and have no effect", async () => {
    const under = await open();
    await under.barrier.run(
      step("pay"),
      under.doing("pay", () => 1),
    );
    const [entered, release] = [gate(), gate()];
    const undo = under.barrier.run(
      compensation("new"),
      async () => {
        entered.open();
        await release.passed;
      },
      { undoUnknown: true },
    );
    await entered.passed;
    const late = under.another().run(step("new"), never);
    const refused = expect(late).rejects.toMatchObject({ code: "compensated" });
    await waiting(1);
    release.open();
    await undo;
    await refused;
    await under.close();
  });

  it("undo once when two compensations come", async () => {
    const under = await open();
    await under.barrier.run(
      step("pay"),
      under.doing("pay", () => 1),
    );
    const [entered, release] = [gate(), gate()];
    const first = under.barrier.run(compensation("pay"), async (tx) => {
      await under.undoing("pay")(tx, undefined);
      entered.open();
      await release.passed;
    });
    await entered.passed;
    const second = under.another().run(compensation("pay"), never);
    await waiting(1);
    release.open();
    expect(await Promise.all([first, second])).toEqual([null, null]);
    await under.close();
  });

  it("turn away an owner that was replaced while it waited", async () => {
    const under = await open();
    const first = held(under, "pay", () => {
      throw new Error("fault");
    });
    const failing = under.barrier.run(step("pay", 1), first.handler);
    await first.entered;
    const older = under.another().run(step("pay", 1), never);
    const refused = expect(older).rejects.toMatchObject({ code: "stale-fence" });
    await waiting(1);
    await under.another().run(
      step("ship", 2),
      under.doing("ship", () => 1),
    );
    first.release();
    await expect(failing).rejects.toThrow("fault");
    await refused;
    await under.close();
  });

  it("do not wait for each other in one run, though it is new", async () => {
    const under = await open();
    const [first, second] = [held(under, "a"), held(under, "b")];
    const calls = [under.barrier.run(step("a", 3), first.handler), under.another().run(step("b", 3), second.handler)];
    await Promise.all([first.entered, second.entered]);
    first.release();
    second.release();
    expect(await Promise.all(calls)).toEqual(["a", "b"]);
    await under.close();
  });

  it("give way to what became of the key while a refusal was written down", async () => {
    const under = await open();
    const first = held(under, "pay", () => {
      throw new BusinessRefusal("no");
    });
    const refusing = under.barrier.run(step("pay"), first.handler).catch((error: unknown) => error);
    await first.entered;
    // It waits for the refused one's transaction, and has the key before the refusal comes back to it.
    const second = under.another().run(
      step("pay"),
      under.doing("pay", () => "yes"),
    );
    await waiting(1);
    first.release();
    const [refused, done] = [await refusing, await second.catch((error: unknown) => error)];
    const again = await under.barrier.run(step("pay"), never).catch((error: unknown) => error);
    // Whoever was first, all three hear the same.
    for (const answer of [refused, done]) expect(answer).toEqual(again);
    expect(await under.effects()).toEqual(again === "yes" ? ["pay"] : []);
    await under.close();
  });

  it("keep the rules in any order: steps, copies, compensations, new owners, faults and refusals, in three processes", async () => {
    const under = await open();
    const barriers = [under.barrier, under.another(), under.another()];
    const random = new SeededRandom(20_240_607);
    const keys = Array.from({ length: 12 }, (_, index) => `k${index}`);
    const effects = new Map<string, number>();
    const calls: Promise<unknown>[] = [];
    const compensated = new Set<string>();
    for (let turn = 0; turn < 600; turn++) {
      const name = random.pick(keys);
      const fence = 1 + Math.floor(turn / 60) - (random.chance(0.1) ? 1 : 0);
      const dice = random.float();
      const act = under.doing(name, () => {
        if (dice < 0.1) throw new Error("fault");
        if (dice < 0.15) throw new BusinessRefusal("no");
        return turn;
      });
      const undo = random.chance(0.08);
      const call: BarrierCall = undo ? compensation(name, fence) : step(name, fence);
      calls.push(
        random
          .pick(barriers)
          .run(call, undo ? under.undoing(name) : act)
          .then(
            () => undo && compensated.add(name),
            () => {},
          ),
      );
      if (turn % 25 === 0) await Promise.all(calls);
    }
    await Promise.all(calls);
    for (const name of await under.effects()) effects.set(name, (effects.get(name) ?? 0) + 1);
    const rows = await query<{ key: string; state: string }>(`select key, state from ${under.schema}.calls`);
    expect(compensated.size).toBeGreaterThan(3);
    for (const name of keys) {
      const state = rows.find(({ key }) => key.endsWith(`:${name}`))?.state;
      expect(effects.get(name) ?? 0, `${name} is ${state}`).toBe(state === "done" ? 1 : 0);
      if (compensated.has(name)) expect(state, name).toBe("undone");
    }
    await under.close();
  });
});
