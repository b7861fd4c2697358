import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RuntimeError } from "../errors.js";
import { SeededRandom } from "../simulation/seeded-random.js";
import { createMemoryRunStore, type MemoryClient } from "../stores/memory/index.js";
import { type Database, openDatabase } from "../stores/sqlite/index.js";
import { SagaBench } from "../testing/saga-bench.test.support.js";
import { committing, rowsOf, unavailable } from "../testing/step-transactions.test.support.js";
import { saga } from "./builder.js";

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
