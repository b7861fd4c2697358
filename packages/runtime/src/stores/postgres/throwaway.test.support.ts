import { type Postgres, startPostgres } from "@clean-arch/test-servers";
import pg from "pg";
import { afterAll, beforeAll } from "vitest";
import type { RunStore } from "../../store/run-store.js";
import type { EffectsUnderTest, RunStoreUnderTest } from "../../testing/run-store-contract.js";
import { createPostgresRunStore, type PostgresRunStoreOptions } from "./run-store.js";

/** A schema of its own for one test, whose clock stands still until it is advanced. */
export interface PostgresUnderTest extends RunStoreUnderTest {
  readonly schema: string;
  readonly url: string;
  query(sql: string): Promise<Record<string, unknown>[]>;
  /** A connection in a transaction, rolled back when the test ends if nobody ended it. */
  begin(): Promise<pg.Client>;
  /** Resolves when some statement on the schema waits for a lock. */
  waitUntilBlocked(): Promise<void>;
  reopen(options?: Partial<PostgresRunStoreOptions>, prepare?: (store: RunStore) => void): Promise<RunStore>;
}

/** One server for the tests of a file. */
export function postgresForTests(): {
  readonly open: () => Promise<PostgresUnderTest>;
  readonly server: () => Postgres;
} {
  let server: Postgres | undefined;
  let admin: pg.Pool | undefined;
  let schemas = 0;
  const running = (): Postgres => {
    if (server === undefined) throw new Error("expected the server to have been started");
    return server;
  };
  beforeAll(async () => {
    // An ANALYZE by itself would hold back events that are put meanwhile, for as long as it writes.
    server = await startPostgres({ fsync: false, settings: { max_connections: 200, autovacuum: "off" } });
    admin = new pg.Pool({ connectionString: server.url(), max: 2 });
    admin.on("error", () => {});
  }, 60_000);
  afterAll(async () => {
    await admin?.end();
    await server?.remove();
  });
  const open = async (): Promise<PostgresUnderTest> => {
    schemas += 1;
    const schema = `runs ${schemas}`;
    const stores: RunStore[] = [];
    const query = async (sql: string): Promise<Record<string, unknown>[]> => {
      const result = await admin?.query(sql);
      return result?.rows ?? [];
    };
    const clients: pg.Client[] = [];
    const begin = async (): Promise<pg.Client> => {
      const client = new pg.Client({ connectionString: running().url() });
      clients.push(client);
      await client.connect();
      await client.query("begin");
      return client;
    };
    const waitUntilBlocked = async (): Promise<void> => {
      const blocked = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%"${schema}"%'`;
      while ((await query(blocked)).length === 0);
    };
    const reopen = async (
      options: Partial<PostgresRunStoreOptions> = {},
      prepare: (store: RunStore) => void = () => {},
    ): Promise<RunStore> => {
      const store = createPostgresRunStore({ url: running().url(), schema, connections: 3, ...options });
      prepare(store);
      stores.push(store);
      await store.open();
      return store;
    };
    const store = await reopen();
    // An hour ahead: a lease that runs out is then not taken for one that the server's start made run out.
    await query(`create table "${schema}".clock as select floor(extract(epoch from now() + interval '1 hour') * 1000)::int8 as now;
      create or replace function "${schema}".now_ms() returns int8 language sql volatile as 'select now from "${schema}".clock'`);
    await query(`create table "${schema}".step_effects (name text)`);
    const effects: EffectsUnderTest = {
      write: (client, name) =>
        (client as pg.PoolClient).query(`insert into "${schema}".step_effects values ($1)`, [name]),
      committed: async () =>
        (await query(`select name from "${schema}".step_effects order by name`)).map((row) => String(row.name)),
    };
    return {
      ...{ store, schema, query, begin, waitUntilBlocked, reopen, effects, url: running().url() },
      advance: async (ms) => void (await query(`update "${schema}".clock set now = now + ${ms}`)),
      close: async () => {
        await Promise.all([...stores.map((each) => each.close()), ...clients.map((client) => client.end())]);
        await query(`drop schema "${schema}" cascade`);
      },
    };
  };
  return { open, server: running };
}
