import { describe, expect, it } from "vitest";
import { BusinessRefusal } from "../errors.js";
import type { Json } from "../json.js";
import type { Barrier, BarrierCall, BarrierHandler } from "./barrier.js";

/** A migrated barrier on data of its own, for one test, and a table of effects beside it. */
export interface BarrierUnderTest<Tx> {
  readonly barrier: Barrier<Tx>;
  /** A further barrier on the same data, as another process has it. */
  another(options?: { readonly retentionMs?: number; readonly maxAnswerBytes?: number }): Barrier<Tx>;
  /** A handler that has an effect under a name, then does as it is told: returns the value or throws the error. */
  doing(name: string, outcome: () => unknown): BarrierHandler<Tx>;
  /** A handler that takes the effects of that name away. */
  undoing(name: string): BarrierHandler<Tx>;
  /** Names of the effects that are committed, sorted. */
  effects(): Promise<string[]>;
  /** Makes every row of the barrier older by so much. */
  age(ms: number): Promise<void>;
  /** How many keys the barrier knows. */
  keys(): Promise<number>;
  close(): Promise<void>;
}

export const RUN = "0192f0c1-0000-7000-8000-000000000001";

export function step(name: string, fence = 1): BarrierCall {
  return { runId: RUN, idempotencyKey: `${RUN}:${name}`, fence };
}

export function compensation(name: string, fence = 1, outcome: "completed" | "unknown" = "unknown"): BarrierCall {
  return { runId: RUN, idempotencyKey: `${RUN}:${name}:compensate`, forwardKey: `${RUN}:${name}`, fence, outcome };
}

const never = (): never => expect.unreachable("the handler is not to be called");

/** What every barrier does, whichever database it is in. */
export function barrierContract<Tx>(name: string, open: () => Promise<BarrierUnderTest<Tx>>): void {
  const test = (title: string, body: (under: BarrierUnderTest<Tx>) => Promise<void>): void =>
    it(title, async () => {
      const under = await open();
      try {
        await body(under);
      } finally {
        await under.close();
      }
    });

  describe(`${name}: what comes once`, () => {
    test("has its effect and its answer", async ({ barrier, doing, effects }) => {
      expect(
        await barrier.run(
          step("pay"),
          doing("pay", () => ({ charged: 990 })),
        ),
      ).toEqual({ charged: 990 });
      expect(await effects()).toEqual(["pay"]);
    });

    test("may answer nothing, or whatever JSON there is", async ({ barrier, doing }) => {
      const answers: readonly Json[] = [null, 0, "", [1, { deep: ["ü", '"'] }], false];
      for (const [index, answer] of answers.entries()) {
        const call = step(`s${index}`);
        expect(
          await barrier.run(
            call,
            doing("x", () => answer),
          ),
        ).toEqual(answer);
        expect(await barrier.run(call, never)).toEqual(answer);
      }
      expect(
        await barrier.run(
          step("nothing"),
          doing("x", () => undefined),
        ),
      ).toBeNull();
    });

    test("leaves nothing when its handler throws, and may come again", async ({ barrier, doing, effects, keys }) => {
      const fault = new Error("no connection to the bank");
      const throwing = doing("pay", () => {
        throw fault;
      });
      await expect(barrier.run(step("pay"), throwing)).rejects.toBe(fault);
      expect([await effects(), await keys()]).toEqual([[], 0]);
      expect(
        await barrier.run(
          step("pay"),
          doing("pay", () => 1),
        ),
      ).toBe(1);
      expect(await effects()).toEqual(["pay"]);
    });

    test("leaves nothing when its answer cannot be kept", async ({ another, doing, effects, keys }) => {
      const barrier = another({ maxAnswerBytes: 20 });
      for (const answer of ["x".repeat(19), "\0", { __proto__: null, constructor: 1 }, 1n])
        await expect(
          barrier.run(
            step("pay"),
            doing("pay", () => answer),
          ),
        ).rejects.toMatchObject({ code: "internal" });
      expect([await effects(), await keys()]).toEqual([[], 0]);
      expect(
        await barrier.run(
          step("pay"),
          doing("pay", () => "x".repeat(18)),
        ),
      ).toHaveLength(18);
    });

    test("is refused when no table can keep it", async ({ barrier }) => {
      const good = step("pay");
      for (const bad of [
        { ...good, idempotencyKey: "" },
        { ...good, idempotencyKey: "k".repeat(1_001) },
        { ...good, runId: "\0" },
        { ...good, fence: -1 },
        { ...good, fence: 1.5 },
        { ...good, fence: Number.NaN },
        { ...compensation("pay"), forwardKey: "\ud800" },
      ])
        await expect(barrier.run(bad, never), JSON.stringify(bad)).rejects.toMatchObject({ code: "input-invalid" });
    });
  });

  describe(`${name}: what comes twice`, () => {
    test("has one effect and the same answer, in every process", async ({ barrier, another, doing, effects }) => {
      await barrier.run(
        step("pay"),
        doing("pay", () => ({ charged: 990 })),
      );
      expect(await barrier.run(step("pay"), never)).toEqual({ charged: 990 });
      expect(await another().run(step("pay"), never)).toEqual({ charged: 990 });
      expect(await effects()).toEqual(["pay"]);
    });

    test("is refused twice in the same words, without the effect", async ({ barrier, another, doing, effects }) => {
      const declining = doing("pay", () => {
        throw new BusinessRefusal("the card's limit is 100.00", "card-declined");
      });
      for (const call of [() => barrier.run(step("pay"), declining), () => another().run(step("pay"), never)]) {
        const refusal = await call().catch((error: unknown) => error);
        expect(refusal).toBeInstanceOf(BusinessRefusal);
        expect(refusal).toMatchObject({ code: "card-declined", message: "the card's limit is 100.00" });
      }
      expect(await effects()).toEqual([]);
    });

    test("is another call in another round, item or run", async ({ barrier, doing, effects }) => {
      const keys = [`${RUN}:pay`, `${RUN}:pay:r2`, `${RUN}:items[3]/pay`, `${RUN}:items[4]/pay`, "other:pay"];
      for (const idempotencyKey of keys)
        await barrier.run(
          { ...step("pay"), idempotencyKey },
          doing("pay", () => 1),
        );
      expect(await effects()).toHaveLength(keys.length);
    });

    test("is undone once", async ({ barrier, doing, undoing, effects }) => {
      await barrier.run(
        step("pay"),
        doing("pay", () => 1),
      );
      expect(await barrier.run(compensation("pay"), undoing("pay"))).toBeNull();
      expect(await barrier.run(compensation("pay"), never)).toBeNull();
      expect(await effects()).toEqual([]);
    });
  });

  describe(`${name}: a compensation`, () => {
    test("is given what the step had answered", async ({ barrier, doing }) => {
      await barrier.run(
        step("pay"),
        doing("pay", () => ({ charge: "ch_1" })),
      );
      let given: unknown = "nothing";
      await barrier.run(compensation("pay"), (_, answered) => {
        given = answered;
      });
      expect(given).toEqual({ charge: "ch_1" });
    });

    test("that throws undoes nothing and may come again", async ({ barrier, doing, undoing, effects }) => {
      await barrier.run(
        step("pay"),
        doing("pay", () => 1),
      );
      for (const error of [new Error("later"), new BusinessRefusal("the bank says no")]) {
        const throwing = doing("half", () => {
          throw error;
        });
        await expect(barrier.run(compensation("pay"), throwing)).rejects.toBe(error);
        expect(await effects()).toEqual(["pay"]);
        // It still counts as done: a copy of the step is no late one.
        expect(await barrier.run(step("pay"), never)).toBe(1);
      }
      await barrier.run(compensation("pay"), undoing("pay"));
      expect(await effects()).toEqual([]);
    });

    test("of what never came does nothing and keeps it out", async ({ barrier, another, effects }) => {
      expect(await barrier.run(compensation("pay"), never)).toBeNull();
      expect(await barrier.run(compensation("pay"), never)).toBeNull();
      const late = await another()
        .run(step("pay"), never)
        .catch((error: unknown) => error);
      expect(late).toBeInstanceOf(BusinessRefusal);
      expect(late).toMatchObject({ code: "compensated" });
      expect(await effects()).toEqual([]);
    });

    test("keeps out what was done before it, too", async ({ barrier, doing, undoing }) => {
      await barrier.run(
        step("pay"),
        doing("pay", () => 1),
      );
      await barrier.run(compensation("pay"), undoing("pay"));
      await expect(barrier.run(step("pay"), never)).rejects.toMatchObject({ code: "compensated" });
    });

    test("of what was refused, or failed, does nothing", async ({ barrier, doing }) => {
      const refusing = (error: Error) =>
        doing("x", () => {
          throw error;
        });
      await barrier.run(step("a"), refusing(new BusinessRefusal("no"))).catch(() => {});
      await barrier.run(step("b"), refusing(new Error("fault"))).catch(() => {});
      for (const name of ["a", "b"]) {
        expect(await barrier.run(compensation(name), never)).toBeNull();
        await expect(barrier.run(step(name), never)).rejects.toMatchObject({ code: "compensated" });
      }
    });

    test("calls its handler when the caller has seen an answer of which no row is left", async ({
      barrier,
      undoing,
    }) => {
      let calls = 0;
      const undo: BarrierHandler<Tx> = (tx, answered) => {
        calls += 1;
        expect(answered).toBeUndefined();
        return undoing("pay")(tx, answered);
      };
      await barrier.run(compensation("pay", 1, "completed"), undo);
      await barrier.run(compensation("pay", 1, "completed"), undo);
      expect(calls).toBe(1);
    });

    test("calls its handler for what is unknown here, where effects lie elsewhere", async ({ barrier, doing }) => {
      const failing = doing("x", () => {
        throw new BusinessRefusal("no");
      });
      await barrier.run(step("refused"), failing).catch(() => {});
      const called: string[] = [];
      for (const name of ["never", "refused"])
        await barrier.run(compensation(name), () => void called.push(name), { undoUnknown: true });
      expect(called).toEqual(["never", "refused"]);
    });
  });

  describe(`${name}: fences`, () => {
    test("turn a replaced owner away, whatever it calls", async ({ barrier, another, doing, undoing, effects }) => {
      await barrier.run(
        step("reserve", 4),
        doing("reserve", () => 1),
      );
      await barrier.run(
        step("pay", 7),
        doing("pay", () => 1),
      );
      const older = [
        step("ship", 6),
        step("reserve", 4),
        step("pay", 6),
        compensation("pay", 6),
        compensation("new", 1),
      ];
      for (const call of older)
        await expect(another().run(call, never), call.idempotencyKey).rejects.toMatchObject({ code: "stale-fence" });
      expect(await barrier.run(step("reserve", 7), never)).toBe(1);
      await barrier.run(compensation("pay", 8), undoing("pay"));
      expect(await effects()).toEqual(["reserve"]);
    });

    test("are of one run each", async ({ barrier, doing }) => {
      await barrier.run(
        step("pay", 9),
        doing("pay", () => 1),
      );
      const other = { runId: "other", idempotencyKey: "other:pay", fence: 1 };
      expect(
        await barrier.run(
          other,
          doing("pay", () => 2),
        ),
      ).toBe(2);
    });

    test("are of one item each, of the items of a batch", async ({ barrier, effects, doing, undoing }) => {
      const item = (key: string, stage: string, fence: number) => step(`items[${key}]/${stage}`, fence);
      const heir = doing("reserved", () => 1);
      await barrier.run(
        item("a/b", "reserve", 2_001),
        doing("first", () => 1),
      );
      expect(await barrier.run(item("a/b", "pack", 2_002), heir)).toBe(1);
      // Another chunk has owners of its own.
      expect(
        await barrier.run(
          item("c", "reserve", 1_001),
          doing("other", () => 2),
        ),
      ).toBe(2);
      const late = compensation("items[a/b]/reserve", 2_001);
      await expect(barrier.run(late, never)).rejects.toMatchObject({ code: "stale-fence" });
      await barrier.run(compensation("items[c]/reserve", 1_001), undoing("other"));
      expect(await effects()).toEqual(["first", "reserved"]);
    });

    test("count as seen although the handler threw", async ({ barrier, doing }) => {
      const failing = doing("x", () => {
        throw new Error("fault");
      });
      await expect(barrier.run(step("pay", 5), failing)).rejects.toThrow("fault");
      await expect(barrier.run(step("pay", 4), never)).rejects.toMatchObject({ code: "stale-fence" });
      expect(
        await barrier.run(
          step("pay", 5),
          doing("pay", () => 1),
        ),
      ).toBe(1);
    });
  });

  describe(`${name}: its tables`, () => {
    test("are made once, however many processes make them", async ({ barrier, another, doing }) => {
      await barrier.run(
        step("pay"),
        doing("pay", () => 1),
      );
      await Promise.all([another().migrate(), another().migrate(), barrier.migrate()]);
      expect(await barrier.run(step("pay"), never)).toBe(1);
    });

    test("forget what is older than the retention, in bounded batches, and nothing else", async (under) => {
      const { another, doing, undoing, age, keys, effects } = under;
      const barrier = another({ retentionMs: 60_000 });
      for (const name of ["a", "b", "c", "d"])
        await barrier.run(
          step(name),
          doing(name, () => name),
        );
      await age(59_000);
      expect(await barrier.prune()).toBe(0);
      await barrier.run(compensation("d"), undoing("d"));
      await age(2_000);
      // Two keys, and the run.
      expect(await barrier.prune(2)).toBe(3);
      expect(await barrier.prune(2)).toBe(1);
      expect([await barrier.prune(2), await keys()]).toEqual([0, 1]);
      expect(await effects()).toEqual(["a", "b", "c"]);
      await expect(barrier.run(step("d"), never)).rejects.toMatchObject({ code: "compensated" });
    });

    test("are pruned in passing", async ({ another, doing, age, keys }) => {
      const barrier = another({ retentionMs: 60_000 });
      for (let call = 1; call < 100; call++)
        await barrier.run(
          step(`s${call}`),
          doing("x", () => 1),
        );
      await age(61_000);
      expect(await keys()).toBe(99);
      await barrier.run(
        step("s100"),
        doing("x", () => 1),
      );
      await expect.poll(keys).toBe(1);
    });
  });
}
