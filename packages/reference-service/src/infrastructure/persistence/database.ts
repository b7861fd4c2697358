/** The service's own database, open, with whichever driver the settings name. */
import type { Logger } from "../../application/ports/logger.js";
import type { Settings } from "../config/settings.js";
import type { MigratedDatabase } from "./migrations.js";
import { checkPostgres } from "./postgres/check.js";
import { openPostgres, type PostgresDatabase } from "./postgres/database.js";
import { migratedPostgres } from "./postgres/migrated.js";
import { sqliteCheck } from "./sqlite/check.js";
import { openSqlite, type SqliteDatabase } from "./sqlite/database.js";
import { migratedSqlite } from "./sqlite/migrated.js";

export interface Database {
  /** What the adapters' repositories are built on. */
  readonly opened: OpenedDatabase;
  readonly migrated: MigratedDatabase;
  /** Resolves when it can be written now; rejects with the reason. */
  check(): Promise<undefined>;
  close(): Promise<void>;
}

export type OpenedDatabase =
  | { readonly driver: "sqlite"; readonly database: SqliteDatabase }
  | { readonly driver: "postgres"; readonly database: PostgresDatabase };

/** Throws a `ConfigError` when it cannot be used; waits a while for a server that does not answer yet. */
export async function openDatabase(
  { name, database: chosen }: Pick<Settings, "name" | "database">,
  logger: Logger,
): Promise<Database> {
  if (chosen.driver === "sqlite") {
    const database = openSqlite(chosen.file);
    return {
      opened: { driver: "sqlite", database },
      migrated: migratedSqlite(database),
      check: sqliteCheck(database, chosen.file),
      close: async () => database.close(),
    };
  }
  const { url, pool } = chosen;
  const database = await openPostgres({ url, connections: pool, applicationName: name, logger });
  return {
    opened: { driver: "postgres", database },
    migrated: migratedPostgres(database),
    check: () => checkPostgres(database),
    close: () => database.close(),
  };
}
