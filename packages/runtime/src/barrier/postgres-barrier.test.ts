import { type Postgres, startPostgres } from "@clean-arch/test-servers";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { BusinessRefusal } from "../errors.js";
import { SeededRandom } from "../simulation/seeded-random.js";
import type { Barrier, BarrierCall } from "./barrier.js";
import { type BarrierUnderTest, barrierContract, compensation, step } from "./barrier-contract.test.support.js";
import { type PostgresBarrierOptions, postgresBarrier } from "./postgres-barrier.js";

let server: Postgres;
let admin: pg.Pool;
beforeAll(async () => {
  server = await startPostgres({ fsync: false, settings: { max_connections: 200, deadlock_timeout: "50ms" } });
  admin = new pg.Pool({ connectionString: server.url(), max: 2 });
}, 60_000);
afterAll(async () => {
  await admin.end();
  await server.remove();
});

type Tx = pg.PoolClient;
interface PostgresUnderTest extends BarrierUnderTest<Tx> {
  /** A further barrier with a pool of its own, as another process has it. */
  another(options?: PostgresBarrierOptions & { readonly connections?: number }): Barrier<Tx>;
  readonly schema: string;
}

let schemas = 0;
async function open(): Promise<PostgresUnderTest> {
  schemas += 1;
  const schema = `barrier_${schemas}`;
  const pools: pg.Pool[] = [];
  const another: PostgresUnderTest["another"] = ({ connections = 4, ...options } = {}) => {
    const pool = new pg.Pool({ connectionString: server.url(), max: connections });
    pool.on("error", () => {});
    pools.push(pool);
    return postgresBarrier(pool, { schema, ...options });
  };
  const barrier = another();
  await barrier.migrate();
  await admin.query(`create table ${schema}.effects (name text)`);
  const names = async (sql: string): Promise<string[]> => {
    const { rows } = await admin.query<{ name: string }>(sql);
    return rows.map((row) => row.name);
  };
  return {
    ...{ barrier, another, schema },
    doing: (name, outcome) => async (tx) => {
      await tx.query(`insert into ${schema}.effects values ($1)`, [name]);
      return outcome();
    },
    undoing: (name) => async (tx) => void (await tx.query(`delete from ${schema}.effects where name = $1`, [name])),
    effects: () => names(`select name from ${schema}.effects order by name`),
    keys: async () => (await names(`select key as name from ${schema}.calls`)).length,
    age: async (ms) => {
      for (const table of ["calls", "fences"])
        await admin.query(`update ${schema}.${table} set at = at - $1 * interval '1 millisecond'`, [ms]);
    },
    close: async () => {
      await Promise.all(pools.map((pool) => pool.end()));
      await admin.query(`drop schema ${schema} cascade`);
    },
  };
}

barrierContract("PostgreSQL", open);

/** Something that a test waits for and another part of it lets happen. */
function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open: () => open() };
}

/** A handler that has its effect, says so, and waits for the test before it returns. */
function held({ doing }: PostgresUnderTest, name: string, outcome: () => unknown = () => name) {
  const [entered, release] = [gate(), gate()];
  const handler = async (tx: Tx) => {
    await doing(name, () => null)(tx, undefined);
    entered.open();
    await release.passed;
    return outcome();
  };
  return { handler, entered: entered.passed, release: release.open };
}

/** Resolves when so many transactions wait for another one's lock. */
async function waiting(count: number): Promise<void> {
  const sql = "select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock'";
  await expect.poll(async () => (await admin.query<{ n: number }>(sql)).rows[0]?.n, { interval: 10 }).toBe(count);
}

const never = () => expect.unreachable("the handler is not to be called");

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
    const { rows } = await admin.query<{ key: string; state: string }>(`select key, state from ${under.schema}.calls`);
    expect(compensated.size).toBeGreaterThan(3);
    for (const name of keys) {
      const state = rows.find(({ key }) => key.endsWith(`:${name}`))?.state;
      expect(effects.get(name) ?? 0, `${name} is ${state}`).toBe(state === "done" ? 1 : 0);
      if (compensated.has(name)) expect(state, name).toBe("undone");
    }
    await under.close();
  });
});

describe("faults of PostgreSQL and of its handlers", () => {
  it("end a call whose connection is cut in its transaction, and leave nothing", async () => {
    const under = await open();
    const first = held(under, "pay");
    const cut = under.barrier.run(step("pay"), first.handler);
    await first.entered;
    const failed = expect(cut).rejects.toMatchObject({ code: "store-unavailable", retry: true });
    await admin.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where state = 'idle in transaction' and query like '%effects%'",
    );
    first.release();
    await failed;
    expect([await under.effects(), await under.keys()]).toEqual([[], 0]);
    expect(
      await under.barrier.run(
        step("pay"),
        under.doing("pay", () => 1),
      ),
    ).toBe(1);
    await under.close();
  });

  it("end a transaction that stands idle for too long", async () => {
    const under = await open();
    const frozen = held(under, "pay");
    const first = under.another({ idleMs: 50 }).run(step("pay"), frozen.handler);
    await frozen.entered;
    // Waits for the frozen one's row, which goes with its transaction.
    expect(await under.barrier.run(compensation("pay"), never)).toBeNull();
    frozen.release();
    await expect(first).rejects.toMatchObject({ code: "store-unavailable" });
    expect(await under.effects()).toEqual([]);
    await under.close();
  });

  it("are not taken for success when the handler swallows them", async () => {
    const under = await open();
    const swallowing = async (tx: Tx): Promise<void> => {
      await under.doing("pay", () => 1)(tx, undefined);
      await tx.query("select 1 / 0").catch(() => {});
    };
    await expect(under.barrier.run(step("pay"), swallowing)).rejects.toMatchObject({
      code: "internal",
      message: expect.stringContaining("let the handler throw what it catches"),
    });
    expect([await under.effects(), await under.keys()]).toEqual([[], 0]);
    await under.close();
  });

  it.each(["commit", "rollback"])("are told to a handler that says %s itself", async (statement) => {
    const under = await open();
    const ending = async (tx: Tx): Promise<void> => void (await tx.query(statement));
    await expect(under.barrier.run(step("pay"), ending)).rejects.toMatchObject({
      code: "internal",
      message: expect.stringContaining("leave begin, commit and rollback to the barrier"),
    });
    await under.close();
  });

  it("pass what a deferred constraint says of the effect to the caller", async () => {
    const under = await open();
    await admin.query(
      `create table ${under.schema}.once (name text unique deferrable initially deferred); insert into ${under.schema}.once values ('pay')`,
    );
    const colliding = async (tx: Tx): Promise<void> =>
      void (await tx.query(`insert into ${under.schema}.once values ('pay')`));
    await expect(under.barrier.run(step("pay"), colliding)).rejects.toMatchObject({ code: "23505" });
    expect(await under.keys()).toBe(0);
    await under.close();
  });

  it("have a pool of one be enough for what comes after each of them", async () => {
    const under = await open();
    const barrier = under.another({ connections: 1 });
    await expect(barrier.run(step("a"), () => Promise.reject(new Error("fault")))).rejects.toThrow("fault");
    await expect(barrier.run(step("b"), () => Promise.reject(new BusinessRefusal("no")))).rejects.toThrow("no");
    await expect(barrier.run(step("c", 0), (tx) => tx.query("no sql"))).rejects.toMatchObject({ code: "stale-fence" });
    await expect(barrier.run(step("d"), (tx) => tx.query("no sql"))).rejects.toMatchObject({ code: "42601" });
    expect(
      await barrier.run(
        step("e"),
        under.doing("e", () => 1),
      ),
    ).toBe(1);
    await under.close();
  });

  it("ask for the tables when they were not made, and for a server when there is none", async () => {
    const under = await open();
    const elsewhere = under.another({ schema: "nowhere" });
    await expect(elsewhere.run(step("pay"), never)).rejects.toMatchObject({
      code: "store-unavailable",
      message: expect.stringContaining("run migrate()"),
    });
    const pool = new pg.Pool({ connectionString: "postgresql://127.0.0.1:1/none" });
    await expect(postgresBarrier(pool).run(step("pay"), never)).rejects.toMatchObject({ code: "store-unavailable" });
    await pool.end();
    await under.close();
  });
});

describe("the tables on PostgreSQL", () => {
  it("are made once by ten processes at once", async () => {
    const under = await open();
    const schema = `${under.schema}_fresh`;
    const barriers = Array.from({ length: 10 }, () => under.another({ schema, connections: 1 }));
    await Promise.all(barriers.map((barrier) => barrier.migrate()));
    const { rows } = await admin.query(`select number, name from ${schema}.migrations`);
    expect(rows).toEqual([{ number: 1, name: "calls and fences" }]);
    await admin.query(`drop schema ${schema} cascade`);
    await under.close();
  });

  it("are refused when a newer version made them", async () => {
    const under = await open();
    await admin.query(`insert into ${under.schema}.migrations (number, name) values (2, 'from the future')`);
    await expect(under.barrier.migrate()).rejects.toMatchObject({ code: "store-incompatible" });
    await under.close();
  });

  it("are pruned around a key that is at work", async () => {
    const under = await open();
    for (const name of ["a", "b"])
      await under.barrier.run(
        step(name),
        under.doing(name, () => 1),
      );
    await under.age(91 * 24 * 3_600_000);
    const release = gate();
    const entered = gate();
    const undo = under.barrier.run(compensation("a"), async () => {
      entered.open();
      await release.passed;
    });
    await entered.passed;
    // The key b, and the run, which nobody raised.
    expect(await under.another().prune()).toBe(2);
    release.open();
    await undo;
    expect(await under.keys()).toBe(1);
    await under.close();
  });

  it("need no right to make schemas when they are there", async () => {
    const under = await open();
    await admin.query(
      `create role service login; grant usage on schema ${under.schema} to service; grant select, insert, update, delete on all tables in schema ${under.schema} to service`,
    );
    const pool = new pg.Pool({ connectionString: server.url().replace("postgres@", "service@"), max: 1 });
    const barrier = postgresBarrier(pool, { schema: under.schema });
    await barrier.migrate();
    expect(
      await barrier.run(
        step("pay"),
        under.doing("pay", () => 1),
      ),
    ).toBe(1);
    await pool.end();
    await admin.query("drop owned by service; drop role service");
    await under.close();
  });
});

it("refuses options that do not fit", () => {
  const pool = new pg.Pool();
  for (const options of [{ schema: 'a"b' }, { schema: "Upper" }, { waitMs: 0 }, { idleMs: 1.5 }, { retentionMs: -1 }])
    expect(() => postgresBarrier(pool, options), JSON.stringify(options)).toThrow(
      expect.objectContaining({ code: "config-invalid" }),
    );
});

it("hands a pool's own kind of client to the handler", () => {
  expectTypeOf(postgresBarrier(new pg.Pool())).toEqualTypeOf<Barrier<pg.PoolClient>>();
});
