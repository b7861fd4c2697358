import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BusinessRefusal, RuntimeError } from "../errors.js";
import { SeededRandom } from "../simulation/seeded-random.js";
import type { RunStore, StepTransaction } from "../store/run-store.js";
import { createMemoryRunStore, type MemoryClient } from "../stores/memory/index.js";
import { type Database, openDatabase } from "../stores/sqlite/index.js";
import { SagaBench, STORE_KINDS, type StoreKind } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";
import type { TransactionRunner } from "./definition.js";
import type { SagaManager } from "./manager.js";

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

async function rowsOf(manager: SagaManager, id: string): Promise<string[]> {
  const rows = await manager.journal(id);
  return rows.map(({ records }) =>
    records.map((record) => `${record.kind}${"step" in record ? ` ${record.step}` : ""}`).join(", "),
  );
}

/** A store whose transactions' commits go as `commit` says. */
function committing(
  store: RunStore,
  commit: (transaction: StepTransaction, nth: number) => StepTransaction["commit"],
): RunStore {
  let commits = 0;
  return {
    ...store,
    begin: async () => {
      const transaction = await (store.begin?.() ?? expect.fail("expected a store with transactions"));
      // Not a copy: its client is made when it is asked for.
      return Object.create(transaction, {
        commit: { value: (append: Parameters<StepTransaction["commit"]>[0]) => commit(transaction, ++commits)(append) },
      }) as StepTransaction;
    },
  };
}

const unavailable = (): RuntimeError => new RuntimeError("store-unavailable", "the reply is lost");

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

describe("a step in an asynchronous transaction", () => {
  let bench: SagaBench;
  beforeEach(async () => {
    bench = await SagaBench.create("memory");
  });
  afterEach(() => bench.close());

  const effects = (): string[] => [...bench.world.values.keys()].sort();

  it("is refused by SQLite, which undoes what it did so far", async () => {
    const onSqlite = await SagaBench.create("sqlite");
    const db = openDatabase(onSqlite.file);
    db.exec("create table effects (name text)");
    const late: unknown[] = [];
    const definition = saga("s")
      .step("reserve", {
        retry: { maxAttempts: 1 },
        run: ({ transaction }) =>
          transaction(async (client: Database) => {
            client.run("insert into effects values ('early')");
            await null;
            try {
              client.run("insert into effects values ('late')");
            } catch (error) {
              late.push((error as RuntimeError).code);
            }
          }),
      })
      .build();
    const manager = await onSqlite.open([definition]);
    expect((await onSqlite.toEnd(manager, "s")).error).toMatchObject({ code: "feature-unavailable" });
    expect([late, db.all("select name from effects")]).toEqual([["feature-unavailable"], []]);
    db.close();
    await onSqlite.close();
  });

  it("is rolled back at the step's timeout, and its client is of no use afterwards", async () => {
    const late: unknown[] = [];
    let calls = 0;
    const definition = saga("s")
      .step("reserve", {
        timeout: "2s",
        run: ({ transaction, signal }) =>
          transaction(async (client: MemoryClient) => {
            calls += 1;
            client.set(`attempt ${calls}`, true);
            if (calls > 1) return "in time";
            await bench.later(5_000);
            expect(signal.aborted).toBe(true);
            try {
              client.set("late", true);
            } catch (error) {
              late.push((error as RuntimeError).code);
            }
            return "too late";
          }),
      })
      .build();
    const manager = await bench.open([definition]);
    const { output, steps } = await bench.toEnd(manager, "s");
    await bench.pass(5_000);
    expect([output, steps[0]?.attempts, effects(), late]).toEqual([
      "in time",
      2,
      ["attempt 2"],
      ["definition-invalid"],
    ]);
  });

  it("has the run's lane to itself: what comes meanwhile rides in its row", async () => {
    const open: string[] = [];
    const inTurn = (name: string) => (client: MemoryClient) => {
      open.push(`${name} begins`);
      client.set(name, true);
      return bench.later(1_000).then(() => {
        open.push(`${name} ends`);
        return name;
      });
    };
    const definition = saga("s")
      .parallel((group) =>
        group
          .step("a", { run: ({ transaction }) => transaction(inTurn("a")) })
          .step("b", { run: ({ transaction }) => transaction(inTurn("b")) })
          .step("c", { run: () => bench.later(500).then(() => "c") }),
      )
      .build();
    const manager = await bench.open([definition]);
    const { id, status } = await bench.toEnd(manager, "s");
    expect([status, effects()]).toEqual(["completed", ["a", "b"]]);
    expect(open).toEqual(["a begins", "a ends", "b begins", "b ends"]);
    expect(await rowsOf(manager, id)).toEqual([
      "dispatched a, dispatched b, dispatched c",
      "completed c, completed a",
      "completed b, finished",
    ]);
  });

  it("lets a cancellation wait, and is undone by it", async () => {
    const definition = saga("s")
      .step("reserve", {
        run: ({ transaction }) =>
          transaction(async (client: MemoryClient) => {
            client.set("reserve", true);
            await bench.later(3_000);
          }),
        compensate: ({ transaction }) => transaction((client: MemoryClient) => client.delete("reserve")),
      })
      .step("ship", { run: () => expect.unreachable("the run was canceled") })
      .build();
    const manager = await bench.open([definition]);
    const { id } = await bench.until(manager.start("s", {}));
    await bench.pass(100);
    await bench.until(manager.act(id, "cancel", { actor: "tester", reason: "changed my mind" }));
    expect((await bench.until(manager.wait(id, 60_000))).status).toBe("cancelled");
    expect(effects()).toEqual([]);
    expect((await rowsOf(manager, id))[1]).toContain("completed reserve, ");
  });

  it("finishes before its manager closes, or is rolled back when the grace is over", async () => {
    const definition = saga("s")
      .step("reserve", {
        run: ({ transaction, attempt }) =>
          transaction(async (client: MemoryClient) => {
            client.set(`attempt ${attempt}`, true);
            await bench.later(3_000);
          }),
      })
      .build();
    for (const [graceMs, expected] of [
      [10_000, ["attempt 1"]],
      [1_000, []],
    ] as const) {
      bench.world.values.clear();
      const manager = await bench.open([definition]);
      await bench.until(manager.start("s", {}));
      await bench.pass(100);
      await bench.until(manager.close(graceMs));
      await bench.pass(10_000);
      expect(effects(), `after a grace of ${graceMs} ms`).toEqual(expected);
    }
  });

  it("is found to have committed although that arrives only when the run is read again", async () => {
    let called = 0;
    const definition = saga("s")
      .step("reserve", {
        run: ({ transaction }) => {
          called += 1;
          return transaction((client: MemoryClient) => client.set("reserve", true));
        },
      })
      .build();
    let arrive = async (): Promise<void> => {};
    const inner = bench.store();
    const store = committing(
      {
        ...inner,
        // The half-dead transaction commits between the reading of the journal and the next row.
        append: async (appends) => {
          const late = arrive;
          arrive = async () => {};
          await late();
          return inner.append(appends);
        },
      },
      (transaction, nth) => async (append) => {
        if (nth > 1) return transaction.commit(append);
        arrive = async () => void (await transaction.commit(append));
        throw unavailable();
      },
    );
    const manager = await bench.open([definition], {}, { store });
    const { status } = await bench.toEnd(manager, "s");
    expect([status, called, effects()]).toEqual(["completed", 1, ["reserve"]]);
  });

  it("is told to whoever still waits for a turn that the run left", async () => {
    const told: string[] = [];
    const tell = (name: string) => (error: RuntimeError) => {
      told.push(`${name}: ${error.code}`);
      throw error;
    };
    const definition = saga("s")
      .parallel((group) =>
        group
          .step("a", { run: ({ transaction }) => transaction(() => bench.later(1_000)).catch(tell("a")) })
          .step("b", { run: ({ transaction }) => transaction(() => bench.later(1_000)).catch(tell("b")) }),
      )
      .build();
    const manager = await bench.open([definition]);
    await bench.until(manager.start("s", {}));
    await bench.pass(100);
    await bench.until(manager.close(0));
    await bench.pass(0);
    expect(told.sort()).toEqual(["a: lease-lost", "b: lease-lost"]);
  });

  it("takes its effect back when another instance has taken the run over", async () => {
    const store = () => createMemoryRunStore({ clock: bench.clock, world: bench.world, workers: "many" });
    const seen: unknown[] = [];
    const definition = (by: string, holdMs: number) =>
      saga("s")
        .step("reserve", {
          timeout: "10m",
          run: async ({ transaction }) => {
            await transaction(async (client: MemoryClient) => {
              client.set(by, true);
              await bench.later(holdMs);
            }).catch((error: RuntimeError) => {
              seen.push(`${by}: ${error.code}`);
              throw error;
            });
          },
        })
        .build();
    let cut = false;
    const inner = store();
    const first = await bench.open(
      [definition("first", 60_000)],
      {},
      { store: { ...inner, renew: (request) => (cut ? Promise.reject(unavailable()) : inner.renew(request)) } },
    );
    const { id } = await bench.until(first.start("s", {}));
    cut = true;
    const ports = { clock: bench.clock, random: new SeededRandom(8) };
    const second = await bench.open([definition("second", 0)], {}, { store: store(), ports });
    expect((await bench.until(second.wait(id, 600_000))).status).toBe("completed");
    await bench.pass(60_000);
    expect([effects(), seen]).toEqual([["second"], ["first: lease-lost"]]);
  });
});
