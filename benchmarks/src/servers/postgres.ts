import { startPostgres } from "@clean-arch/test-servers";
import pg from "pg";

/** What the server has done so far. */
export interface DatabaseCount {
  /** Of its log. */
  readonly bytes: number;
  /** Transactions that wrote something, each of which waits for a flush of the log; several may share one. */
  readonly commits: number;
}

/**
 * One PostgreSQL server for all contenders of a bench: a throwaway one with the settings that a Debian package has (128 MB of shared
 * buffers, 100 connections, fsync, full_page_writes, synchronous_commit and autovacuum on), except that its locale is C.
 */
export interface DatabaseServer {
  readonly pid: number;
  readonly version: string;
  /** Settings that decide about durability, as the server has them. */
  readonly durability: string;
  /** An empty database; what others wrote is flushed before, so that nobody pays for it. */
  fresh(name: string): Promise<string>;
  drop(name: string): Promise<void>;
  count(): Promise<DatabaseCount>;
  stop(): Promise<void>;
}

const COUNT = `select (pg_current_wal_lsn() - '0/0'::pg_lsn)::float8 as wal,
  pg_snapshot_xmax(pg_current_snapshot())::text::float8 as transactions`;
const DURABILITY = ["fsync", "synchronous_commit", "full_page_writes", "wal_sync_method"] as const;

export async function startDatabaseServer(): Promise<DatabaseServer> {
  const server = await startPostgres({ fsync: true, settings: { synchronous_commit: "on", full_page_writes: "on" } });
  const client = new pg.Client({ connectionString: server.url(), application_name: "bench" });
  await client.connect();
  const ask = async (sql: string): Promise<Record<string, unknown>> => (await client.query(sql)).rows[0] ?? {};
  const version = `${(await ask("show server_version")).server_version}`;
  const settings: string[] = [];
  for (const name of DURABILITY) settings.push(`${name}=${(await ask(`show ${name}`))[name]}`);
  const drop = async (name: string): Promise<void> =>
    void (await client.query(`drop database if exists ${name} (force)`));
  return {
    ...{ version, durability: settings.join(", "), drop },
    pid: server.pid ?? 0,
    async fresh(name) {
      await drop(name);
      await client.query(`create database ${name}`);
      await client.query("checkpoint");
      return server.url(name);
    },
    async count() {
      const { wal, transactions } = await ask(COUNT);
      return { bytes: Number(wal), commits: Number(transactions) };
    },
    async stop() {
      await client.end();
      await server.remove();
    },
  };
}
