/** Brings the tables up to date when the service starts; in production that is a step of the deployment instead. */
import { type MigratedDatabase, MigrationError, migrateUp, migrationStatus, readMigrations } from "./migrations.js";

export interface Preparation {
  /** Holds a folder for each database: `sqlite/`, `postgres/`. */
  readonly migrationsFolder: string;
  readonly production: boolean;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Gives the names of the migrations it applied. Throws a `MigrationError`; in production also for pending ones. */
export async function prepareDatabase(database: MigratedDatabase, preparation: Preparation): Promise<string[]> {
  const migrations = readMigrations(`${preparation.migrationsFolder}/${database.folder}`);
  if (!preparation.production) return migrateUp(database, migrations, preparation.now);
  const status = await migrationStatus(database, migrations);
  const pending = status.filter(({ appliedAt }) => appliedAt === null);
  if (pending.length > 0) {
    const names = pending.map(({ name }) => name).join(", ");
    throw new MigrationError("pending", `not applied yet: ${names}; run "make migrate-up" before the service starts`);
  }
  return [];
}
