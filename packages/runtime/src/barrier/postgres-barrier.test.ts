import pg from "pg";
import { describe, expect, expectTypeOf, it } from "vitest";
import { BusinessRefusal } from "../errors.js";
import type { Barrier } from "./barrier.js";
import { barrierContract, compensation, step } from "./barrier-contract.test.support.js";
import { postgresBarrier } from "./postgres-barrier.js";
import { gate, held, never, postgresForTests, type Tx } from "./postgres-barrier.test.support.js";

const { open, query, url } = postgresForTests();

barrierContract("PostgreSQL", open);

describe("faults of PostgreSQL and of its handlers", () => {
  it("end a call whose connection is cut in its transaction, and leave nothing", async () => {
    const under = await open();
    const first = held(under, "pay");
    const cut = under.barrier.run(step("pay"), first.handler);
    await first.entered;
    const failed = expect(cut).rejects.toMatchObject({ code: "store-unavailable", retry: true });
    await query(
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
    await query(
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
    const rows = await query(`select number, name from ${schema}.migrations`);
    expect(rows).toEqual([{ number: 1, name: "calls and fences" }]);
    await query(`drop schema ${schema} cascade`);
    await under.close();
  });

  it("are refused when a newer version made them", async () => {
    const under = await open();
    await query(`insert into ${under.schema}.migrations (number, name) values (2, 'from the future')`);
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
    await query(
      `create role service login; grant usage on schema ${under.schema} to service; grant select, insert, update, delete on all tables in schema ${under.schema} to service`,
    );
    const pool = new pg.Pool({ connectionString: url().replace("postgres@", "service@"), max: 1 });
    const barrier = postgresBarrier(pool, { schema: under.schema });
    await barrier.migrate();
    expect(
      await barrier.run(
        step("pay"),
        under.doing("pay", () => 1),
      ),
    ).toBe(1);
    await pool.end();
    await query("drop owned by service; drop role service");
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
