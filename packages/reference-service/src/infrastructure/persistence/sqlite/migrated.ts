/** Migrations of a SQLite file: its write lock keeps other processes out. */
import { type AppliedMigration, lockedError, type MigratedDatabase, type MigrationSession } from "../migrations.js";
import type { SqliteDatabase } from "./database.js";
import { isUnavailable } from "./driver-errors.js";

const TABLE = `CREATE TABLE IF NOT EXISTS _migrations (
  name TEXT PRIMARY KEY, checksum TEXT NOT NULL, applied_at TEXT NOT NULL
) STRICT`;
const SELECT = "SELECT name, checksum, applied_at FROM _migrations ORDER BY name";
const INSERT = "INSERT INTO _migrations (name, checksum, applied_at) VALUES (?, ?, ?)";
const DELETE = "DELETE FROM _migrations WHERE name = ?";

export function migratedSqlite(database: SqliteDatabase): MigratedDatabase {
  const session: MigrationSession = {
    async applied() {
      lock(() => database.exec(TABLE));
      return database.prepare(SELECT).all([]).map(appliedOf);
    },
    async run(sql) {
      database.exec(sql);
    },
    async note({ name, checksum, appliedAt }) {
      database.prepare(INSERT).run([name, checksum, appliedAt]);
    },
    async forget(name) {
      database.prepare(DELETE).run([name]);
    },
  };
  return {
    folder: "sqlite",
    applied: session.applied,
    async exclusively(work) {
      lock(() => database.exec("BEGIN IMMEDIATE"));
      try {
        const result = await work(session);
        database.exec("COMMIT");
        return result;
      } catch (error) {
        try {
          database.exec("ROLLBACK");
        } catch {
          // Some errors end the transaction by themselves; the first error is the one that counts.
        }
        throw error;
      }
    },
  };
}

const appliedOf = (row: Record<string, unknown>): AppliedMigration => ({
  name: String(row.name),
  checksum: String(row.checksum),
  appliedAt: String(row.applied_at),
});

function lock(take: () => void): void {
  try {
    take();
  } catch (cause) {
    throw isUnavailable(cause) ? lockedError(cause) : cause;
  }
}
