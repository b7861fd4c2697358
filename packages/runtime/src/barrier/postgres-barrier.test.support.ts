import { type Postgres, startPostgres } from "@clean-arch/test-servers";
import pg from "pg";
import { afterAll, beforeAll, expect } from "vitest";
import type { Barrier } from "./barrier.js";
import type { BarrierUnderTest } from "./barrier-contract.test.support.js";
import { type PostgresBarrierOptions, postgresBarrier } from "./postgres-barrier.js";

export type Tx = pg.PoolClient;

export interface PostgresUnderTest extends BarrierUnderTest<Tx> {
  /** A further barrier with a pool of its own, as another process has it. */
  another(options?: PostgresBarrierOptions & { readonly connections?: number }): Barrier<Tx>;
  readonly schema: string;
}

/** One server for the tests of a file. */
export interface PostgresForTests {
  /** A barrier in a schema of its own. */
  readonly open: () => Promise<PostgresUnderTest>;
  readonly query: <Row>(sql: string) => Promise<Row[]>;
  readonly url: () => string;
  /** Resolves when so many transactions wait for another one's lock. */
  readonly waiting: (count: number) => Promise<void>;
}

export function postgresForTests(): PostgresForTests {
  let server: Postgres | undefined;
  let admin: pg.Pool | undefined;
  let schemas = 0;
  beforeAll(async () => {
    server = await startPostgres({ fsync: false, settings: { max_connections: 200 } });
    admin = new pg.Pool({ connectionString: server.url(), max: 2 });
  }, 60_000);
  afterAll(async () => {
    await admin?.end();
    await server?.remove();
  });
  const url = (): string => server?.url() ?? "";
  const query = async <Row>(sql: string): Promise<Row[]> => ((await admin?.query(sql))?.rows ?? []) as Row[];

  async function open(): Promise<PostgresUnderTest> {
    schemas += 1;
    const schema = `barrier_${schemas}`;
    const pools: pg.Pool[] = [];
    const another: PostgresUnderTest["another"] = ({ connections = 4, ...options } = {}) => {
      const pool = new pg.Pool({ connectionString: url(), max: connections });
      pool.on("error", () => {});
      pools.push(pool);
      return postgresBarrier(pool, { schema, ...options });
    };
    const barrier = another();
    await barrier.migrate();
    await query(`create table ${schema}.effects (name text)`);
    const names = async (sql: string): Promise<string[]> =>
      (await query<{ name: string }>(sql)).map(({ name }) => name);
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
          await query(`update ${schema}.${table} set at = at - ${ms} * interval '1 millisecond'`);
      },
      close: async () => {
        await Promise.all(pools.map((pool) => pool.end()));
        await query(`drop schema ${schema} cascade`);
      },
    };
  }

  const waiting = async (count: number): Promise<void> => {
    const sql = "select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock'";
    await expect.poll(async () => (await query<{ n: number }>(sql))[0]?.n, { interval: 10 }).toBe(count);
  };
  return { open, query, url, waiting };
}

/** Something that a test waits for and another part of it lets happen. */
export function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open: () => open() };
}

/** A handler that has its effect, says so, and waits for the test before it returns. */
export function held({ doing }: PostgresUnderTest, name: string, outcome: () => unknown = () => name) {
  const [entered, release] = [gate(), gate()];
  const handler = async (tx: Tx) => {
    await doing(name, () => null)(tx, undefined);
    entered.open();
    await release.passed;
    return outcome();
  };
  return { handler, entered: entered.passed, release: release.open };
}

export const never = (): never => expect.unreachable("the handler is not to be called");
