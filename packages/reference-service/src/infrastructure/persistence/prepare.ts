/** Brings the tables up to date when the service starts; in production that is a step of the deployment instead. */
import { MigrationError, migrateUp, migrationStatus, readMigrations } from "./migrations.js";
import type { SqliteDatabase } from "./sqlite/database.js";

export interface Preparation {
  /** Holds a folder for each database: `sqlite/`. */
  readonly migrationsFolder: string;
  readonly production: boolean;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Gives the names of the migrations it applied. Throws a `MigrationError`; in production also for pending ones. */
export function prepareDatabase(database: SqliteDatabase, preparation: Preparation): string[] {
  const migrations = readMigrations(`${preparation.migrationsFolder}/sqlite`);
  if (!preparation.production) return migrateUp(database, migrations, preparation.now);
  const pending = migrationStatus(database, migrations).filter(({ appliedAt }) => appliedAt === null);
  if (pending.length > 0) {
    const names = pending.map(({ name }) => name).join(", ");
    throw new MigrationError("pending", `not applied yet: ${names}; run "make migrate-up" before the service starts`);
  }
  return [];
}
