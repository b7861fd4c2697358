import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BusinessRefusal, RuntimeError } from "../errors.js";
import type { MemoryClient } from "../stores/memory/index.js";
import { type Database, openDatabase } from "../stores/sqlite/index.js";
import { SagaBench, STORE_KINDS, type StoreKind } from "../testing/saga-bench.test.support.js";
import { committing, rowsOf, unavailable } from "../testing/step-transactions.test.support.js";
import { saga } from "./builder.js";
import type { TransactionRunner } from "./definition.js";

/** Has an effect by the client of either store. */
function have(client: unknown, name: string): void {
  const both = client as Partial<MemoryClient> & Partial<Database>;
  if (both.set !== undefined) both.set(name, (Number(both.get?.(name) ?? 0) || 0) + 1);
  else both.run?.("insert into effects values (?)", [name]);
}

function undo(client: unknown, name: string): void {
  const both = client as Partial<MemoryClient> & Partial<Database>;
  if (both.delete !== undefined) both.delete(name);
  else both.run?.("delete from effects where name = ?", [name]);
}

describe.each(STORE_KINDS)("a step in a transaction of the %s store", (kind: StoreKind) => {
  let bench: SagaBench;
  beforeEach(async () => {
    bench = await SagaBench.create(kind);
    if (kind === "sqlite") {
      const db = openDatabase(bench.file);
      db.exec("create table effects (name text)");
      db.close();
    }
  });
  afterEach(() => bench.close());

  /** Names, as often as they are there. */
  function effects(): string[] {
    if (kind === "memory")
      return [...bench.world.values].flatMap(([name, count]) => Array<string>(Number(count)).fill(name)).sort();
    const db = openDatabase(bench.file);
    const names = db.all<{ name: string }>("select name from effects order by name").map((row) => row.name);
    db.close();
    return names;
  }

  const reserving = (transaction: TransactionRunner) =>
    transaction((client) => {
      have(client, "reserve");
      return { reserved: 3 };
    });

  it("has its effect, its result and what follows in one write", async () => {
    const definition = saga("s")
      .step("reserve", { run: ({ transaction }) => reserving(transaction) })
      .step("ship", { run: ({ outputs }) => `${outputs.reserve.reserved} shipped` })
      .build();
    const manager = await bench.open([definition]);
    const { id, status, output } = await bench.toEnd(manager, "s");
    expect({ status, output, effects: effects() }).toEqual({
      status: "completed",
      output: "3 shipped",
      effects: ["reserve"],
    });
    expect(await rowsOf(manager, id)).toEqual([
      "dispatched reserve",
      "completed reserve, dispatched ship",
      "completed ship, finished",
    ]);
  });

  it("leaves nothing when the callback throws, and is tried again", async () => {
    let calls = 0;
    const definition = saga("s")
      .step("reserve", {
        run: ({ transaction }) =>
          transaction((client) => {
            have(client, "reserve");
            calls += 1;
            if (calls < 3) throw new Error("not yet");
            return calls;
          }),
      })
      .build();
    const manager = await bench.open([definition]);
    const { output, steps } = await bench.toEnd(manager, "s");
    expect([output, steps[0]?.attempts, effects()]).toEqual([3, 3, ["reserve"]]);
  });

  it.each([
    {
      what: "is refused",
      outcome: () => {
        throw new BusinessRefusal("none left");
      },
    },
    { what: "has an output that cannot be stored", outcome: () => "a\0b" },
  ])("leaves nothing when it $what", async ({ outcome }) => {
    const definition = saga("s")
      .step("reserve", {
        retry: { maxAttempts: 2 },
        run: ({ transaction }) =>
          transaction((client) => {
            have(client, "reserve");
            return outcome();
          }),
      })
      .build();
    const manager = await bench.open([definition]);
    expect((await bench.toEnd(manager, "s")).status).toBe("compensated");
    expect(effects()).toEqual([]);
  });

  it("undoes it in one write, too", async () => {
    const definition = saga("s")
      .step("reserve", {
        run: ({ transaction }) => reserving(transaction),
        compensate: ({ transaction }) => transaction((client) => undo(client, "reserve")),
      })
      .step("ship", {
        run: () => {
          expect(effects()).toEqual(["reserve"]);
          throw new BusinessRefusal("no");
        },
      })
      .build();
    const manager = await bench.open([definition]);
    const { id, status } = await bench.toEnd(manager, "s");
    expect([status, effects()]).toEqual(["compensated", []]);
    expect((await rowsOf(manager, id)).at(-1)).toBe("compensated reserve, finished");
  });

  it("has the effect of each item of a list once, and undoes it", async () => {
    const lines = ["a", "b", "c"];
    const definition = saga("s")
      .map("reserve", {
        over: () => lines,
        concurrency: 2,
        run: ({ item, transaction }) => transaction((client) => have(client, item)),
        compensate: ({ item, transaction }) => transaction((client) => undo(client, item)),
      })
      .step("ship", {
        run: () => {
          expect(effects()).toEqual(lines);
          throw new BusinessRefusal("no");
        },
      })
      .build();
    const manager = await bench.open([definition]);
    const { id, status } = await bench.toEnd(manager, "s");
    expect([status, effects()]).toEqual(["compensated", []]);
    expect(await rowsOf(manager, id)).toContain("completed items[0]/reserve, dispatched items[2]/reserve");
  });

  it.each([
    { title: "whose reply is lost after it", happens: true, calls: 1 },
    { title: "that never reached the store", happens: false, calls: 2 },
  ])("is done once by a commit $title", async ({ happens, calls }) => {
    let called = 0;
    const definition = saga("s")
      .step("reserve", {
        run: ({ transaction }) => {
          called += 1;
          return reserving(transaction);
        },
      })
      .step("ship", { run: () => "shipped" })
      .build();
    const store = committing(bench.store(), (transaction, nth) => async (append) => {
      if (nth > 1) return transaction.commit(append);
      if (happens) await transaction.commit(append);
      else await transaction.rollback();
      throw unavailable();
    });
    const manager = await bench.open([definition], {}, { store });
    const { status, output, createdAt, endedAt } = await bench.toEnd(manager, "s");
    // The journal is read at once, and not at the next renewal.
    expect((endedAt ?? 0) - createdAt).toBeLessThan(500);
    expect({ status, output, called, effects: effects() }).toEqual({
      status: "completed",
      output: "shipped",
      called: calls,
      effects: ["reserve"],
    });
  });

  it("parks the run when the database refuses the commit", async () => {
    const definition = saga("s")
      .step("reserve", { run: ({ transaction }) => reserving(transaction) })
      .build();
    const store = committing(bench.store(), (transaction, nth) => async (append) => {
      if (nth > 1) return transaction.commit(append);
      await transaction.rollback();
      throw new RuntimeError("internal", "a deferred constraint");
    });
    const manager = await bench.open([definition], {}, { store });
    const { id } = await bench.until(manager.start("s", {}));
    await bench.toStatus(manager, id, "stuck");
    expect(effects()).toEqual([]);
    await bench.until(manager.act(id, "resume", { actor: "tester", reason: "mended" }));
    expect((await bench.until(manager.wait(id, 60_000))).status).toBe("completed");
    expect(effects()).toEqual(["reserve"]);
  });

  it("leaves the expressions of later steps to the next row", async () => {
    const definition = saga("s")
      .step("reserve", { run: ({ transaction }) => reserving(transaction) })
      .step("ship", { when: ({ outputs }) => outputs.reserve.reserved > 2, run: () => "shipped" })
      .build();
    const manager = await bench.open([definition]);
    const { id, output } = await bench.toEnd(manager, "s");
    expect(output).toBe("shipped");
    expect((await rowsOf(manager, id)).slice(1)).toEqual([
      "completed reserve",
      "evaluated ship, dispatched ship",
      "completed ship, finished",
    ]);
  });

  it("has the callback's value as its output, whatever the handler does afterwards", async () => {
    const definition = saga("s")
      .step("throws", {
        run: async ({ transaction }) => {
          await reserving(transaction);
          throw new Error("too late to matter");
        },
      })
      .step("returns", {
        run: async ({ transaction }) => {
          await transaction(() => "the callback's");
          return "the handler's";
        },
      })
      .build();
    const manager = await bench.open([definition]);
    expect(await bench.toEnd(manager, "s")).toMatchObject({
      status: "completed",
      output: "the callback's",
      steps: [{ output: { reserved: 3 }, attempts: 1 }, { attempts: 1 }],
    });
  });

  it("is one to an attempt, and no place for a checkpoint", async () => {
    const codes: unknown[] = [];
    const note = (error: unknown): void => void codes.push((error as RuntimeError).code);
    const definition = saga("s")
      .step("reserve", {
        run: async ({ transaction, context }) => {
          await transaction((client) => {
            have(client, "first");
            throw new Error("first");
          }).catch(() => {});
          await transaction((client) => have(client, "second")).catch(note);
          await context.checkpoint();
          return "without one";
        },
      })
      .step("ship", {
        run: ({ transaction, context }) =>
          transaction(() => {
            context.checkpoint().catch(note);
            return "with one";
          }),
      })
      .build();
    const manager = await bench.open([definition]);
    expect((await bench.toEnd(manager, "s")).output).toBe("with one");
    expect([codes, effects()]).toEqual([["definition-invalid", "input-invalid"], []]);
  });

  it("is not to be had from a store without them", async () => {
    const definition = saga("s")
      .step("reserve", { retry: { maxAttempts: 1 }, run: ({ transaction }) => reserving(transaction) })
      .build();
    const { begin: _, ...store } = bench.store();
    const manager = await bench.open([definition], {}, { store });
    expect((await bench.toEnd(manager, "s")).error).toMatchObject({
      code: "feature-unavailable",
      message: expect.stringContaining("postgres or sqlite"),
    });
  });
});
