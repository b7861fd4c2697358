import { RuntimeError } from "../../errors.js";
import type { Connections } from "./connections.js";

/** Of the lock that all instances take: the first eight bytes of "clean-arch migrations", as a number. */
const LOCK = "7164775494170931809";

/**
 * Brings the schema to the newest version. Of many instances that start together one migrates, the others wait and find it
 * done; a crash midway leaves the old schema. Where the database was restored from a dump, its outbox is fitted to this server. Error: `store-incompatible` when the schema is newer than this version.
 */
export async function migrate(connections: Connections): Promise<void> {
  const { schema } = connections.statements;
  const migrations = connections.statements.migrations();
  await connections.transaction(async (connection) => {
    // A migration, and the wait for another instance's, may take longer than a statement of the daily work.
    await connection.query("set local statement_timeout = 0");
    await connection.query("set local lock_timeout = 0");
    await connection.query(`select pg_advisory_xact_lock(${LOCK})`);
    await connection.query(`create schema if not exists :"schema"`);
    await connection.query(`create table if not exists :"schema".migrations (
      number int4 primary key, name text not null, applied_at timestamptz not null default now())`);
    const [row] = await connection.query(`select coalesce(max(number), 0) as version from :"schema".migrations`);
    const version = Number(row?.version ?? 0);
    if (version > migrations.length) {
      const message = `expected schema "${schema}" of version ${migrations.length} at most, got ${version}: a newer version wrote it; upgrade this one`;
      throw new RuntimeError("store-incompatible", message, { schema, version, known: migrations.length });
    }
    for (const [index, { name, sql }] of migrations.entries()) {
      if (index < version) continue;
      await connection.query(sql);
      await connection.query(`insert into :"schema".migrations (number, name) values ($1, $2)`, [index + 1, name]);
    }
    await connection.run("restored-places", []);
  });
}
