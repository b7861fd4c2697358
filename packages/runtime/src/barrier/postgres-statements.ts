import type { KnownRow } from "./known-row.js";
import type { PostgresClient } from "./postgres-client.js";

export interface Statements {
  /** The newest fence seen for the run, this one included. */
  readonly raiseFence: (client: PostgresClient, run: string, fence: number) => Promise<number>;
  readonly newestFence: (client: PostgresClient, run: string) => Promise<number>;
  /** Waits for a call of the same key in another transaction. Gives the transaction's id if the key was unknown. */
  readonly claim: (client: PostgresClient, key: string, row: KnownRow) => Promise<string | undefined>;
  /** The key's row, locked until the end of the transaction, and the transaction's id. */
  readonly lock: (client: PostgresClient, key: string) => Promise<LockedRow | undefined>;
  /** The key's row as it stands committed. */
  readonly read: (client: PostgresClient, key: string) => Promise<KnownRow | undefined>;
  /** False: the transaction `tx` is no longer the current one. */
  readonly settle: (client: PostgresClient, key: string, row: KnownRow, tx: string) => Promise<boolean>;
  readonly prune: (client: PostgresClient, retentionMs: number, limit: number) => Promise<number>;
}

export interface LockedRow {
  readonly row: KnownRow;
  readonly tx: string;
}

/**
 * `schema` is a quoted identifier. A fence is raised outside of the call's transaction, or the first call of a run would
 * keep its siblings waiting for the run's row. That commit is not flushed: the effect's own comes after it in the log.
 */
export function statementsIn(schema: string): Statements {
  const RAISE = `
    with seen as (select fence from ${schema}.fences where run = $1),
    raised as (
      insert into ${schema}.fences as f (run, fence)
      select $1, $2::bigint where coalesce((select fence from seen), -1) < $2::bigint
      on conflict (run) do update set fence = excluded.fence, at = now() where f.fence < excluded.fence
    )
    select greatest($2::bigint, (select fence from seen))::float8 as fence, set_config('synchronous_commit', 'off', true)`;
  const NEWEST = `select fence::float8 as fence from ${schema}.fences where run = $1`;
  const CLAIM = `
    insert into ${schema}.calls (key, state, answer) values ($1, $2, $3)
    on conflict (key) do nothing returning pg_current_xact_id()::text as tx`;
  const LOCK = `select state, answer, pg_current_xact_id()::text as tx from ${schema}.calls where key = $1 for update`;
  const READ = `select state, answer from ${schema}.calls where key = $1`;
  const SETTLE = `
    update ${schema}.calls set state = $2, answer = $3, at = now()
    where key = $1 and pg_current_xact_id()::text = $4`;
  const prune = (table: string, key: string): string => `
    delete from ${schema}.${table} where ${key} in (
      select ${key} from ${schema}.${table} where at < now() - $1 * interval '1 millisecond'
      order by at limit $2 for update skip locked)`;

  const fenceOf = async (client: PostgresClient, sql: string, values: unknown[]): Promise<number> => {
    const { rows } = await client.query(sql, values);
    return (rows[0] as { fence: number } | undefined)?.fence ?? 0;
  };
  return {
    raiseFence: (client, run, fence) => fenceOf(client, RAISE, [run, fence]),
    newestFence: (client, run) => fenceOf(client, NEWEST, [run]),
    async claim(client, key, { state, answer }) {
      const { rows } = await client.query(CLAIM, [key, state, answer]);
      return (rows[0] as { tx: string } | undefined)?.tx;
    },
    async lock(client, key) {
      const { rows } = await client.query(LOCK, [key]);
      const found = rows[0] as (KnownRow & { tx: string }) | undefined;
      return found && { row: { state: found.state, answer: found.answer }, tx: found.tx };
    },
    async read(client, key) {
      const { rows } = await client.query(READ, [key]);
      return rows[0] as KnownRow | undefined;
    },
    async settle(client, key, { state, answer }, tx) {
      return (await client.query(SETTLE, [key, state, answer, tx])).rowCount === 1;
    },
    async prune(client, retentionMs, limit) {
      let deleted = 0;
      for (const [table, key] of [
        ["calls", "key"],
        ["fences", "run"],
      ] as const)
        deleted += (await client.query(prune(table, key), [retentionMs, limit])).rowCount ?? 0;
      return deleted;
    },
  };
}
