/**
 * Migrations of a PostgreSQL database: an advisory lock, held by the transaction, keeps other processes out. They run on a
 * connection of their own, because building an index may take longer than any other statement may. The note of what was
 * applied lies in the first schema of the search path, where the tables of the service do.
 */
import type { Client } from "pg";
import { type AppliedMigration, lockedError, type MigratedDatabase } from "../migrations.js";
import type { PostgresDatabase } from "./database.js";
import { isUnavailable } from "./driver-errors.js";

const LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('_migrations of ' || current_schema(), 0))";
const EXISTS = "SELECT to_regclass(quote_ident(current_schema()) || '._migrations') IS NOT NULL AS exists";
const TABLE = `CREATE TABLE IF NOT EXISTS _migrations (
  name text PRIMARY KEY, checksum text NOT NULL, applied_at text NOT NULL
)`;
const SELECT = 'SELECT name, checksum, applied_at FROM _migrations ORDER BY name COLLATE "C"';
const INSERT = "INSERT INTO _migrations (name, checksum, applied_at) VALUES ($1, $2, $3)";
const DELETE = "DELETE FROM _migrations WHERE name = $1";

/** How long another process may migrate before this one gives up. */
const LOCK_TIMEOUT = "SET LOCAL lock_timeout = '60s'";
/** A change of a table that waits for a lock keeps everybody else waiting behind it. */
const TABLE_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '10s'";

export function migratedPostgres({ pool, connect }: PostgresDatabase): MigratedDatabase {
  return {
    folder: "postgres",
    // Asks before it reads: whoever may only read must not have to make the table.
    async applied() {
      try {
        const { rows } = await pool.query<{ exists: boolean }>(EXISTS);
        return rows[0]?.exists === true ? (await pool.query<Row>(SELECT)).rows.map(appliedOf) : [];
      } catch (cause) {
        throw isUnavailable(cause) ? lockedError(cause) : cause;
      }
    },
    async exclusively(work) {
      const client = await begin(connect);
      try {
        const result = await work({
          applied: async () => (await client.query<Row>(SELECT)).rows.map(appliedOf),
          run: async (sql) => void (await client.query(sql)),
          note: async ({ name, checksum, appliedAt }) => void (await client.query(INSERT, [name, checksum, appliedAt])),
          forget: async (name) => void (await client.query(DELETE, [name])),
        });
        await client.query("COMMIT");
        return result;
      } finally {
        // What was not committed is rolled back with the connection.
        await client.end().catch(() => {});
      }
    },
  };
}

/** In a transaction that holds the lock. */
async function begin(connect: () => Promise<Client>): Promise<Client> {
  let client: Client | undefined;
  try {
    client = await connect();
    for (const sql of ["BEGIN", LOCK_TIMEOUT, LOCK, TABLE_LOCK_TIMEOUT, TABLE]) await client.query(sql);
    return client;
  } catch (cause) {
    await client?.end().catch(() => {});
    throw isUnavailable(cause) ? lockedError(cause) : cause;
  }
}

interface Row {
  readonly name: string;
  readonly checksum: string;
  readonly applied_at: string;
}

const appliedOf = ({ name, checksum, applied_at: appliedAt }: Row): AppliedMigration => ({ name, checksum, appliedAt });
