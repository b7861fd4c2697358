/**
 * Migrations: plain SQL files `NNNN_name.up.sql` and `NNNN_name.down.sql`, applied in the order of their numbers, each
 * in one transaction together with the note that it was. The transaction takes the migrations' lock first and looks again
 * at what is applied, so several processes may start at once. An applied file is history: when it was edited, is missing,
 * or an older number turns up after it, nothing runs until a person has looked.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A database as migrations see it; each adapter has its own. */
export interface MigratedDatabase {
  /** The folder below `migrations/` that is written in its SQL. */
  readonly folder: "sqlite" | "postgres";
  /** In the order of their names. */
  applied(): Promise<readonly AppliedMigration[]>;
  /**
   * Runs `work` while nobody else migrates. What it did is kept as a whole, or not at all when it throws. Throws a
   * `MigrationError` of code `locked` when the database cannot be had.
   */
  exclusively<Result>(work: (session: MigrationSession) => Promise<Result>): Promise<Result>;
}

export interface MigrationSession {
  applied(): Promise<readonly AppliedMigration[]>;
  /** Any number of statements. */
  run(sql: string): Promise<void>;
  note(migration: AppliedMigration): Promise<void>;
  forget(name: string): Promise<void>;
}

export interface AppliedMigration {
  readonly name: string;
  readonly checksum: string;
  /** ISO 8601, UTC. */
  readonly appliedAt: string;
}

export interface Migration {
  /** `0001_create_tables` */
  readonly name: string;
  readonly up: string;
  /** Null: it cannot be taken back. */
  readonly down: string | null;
  /** sha256 of `up`, with line ends as `\n`. */
  readonly checksum: string;
}

export interface MigrationStatus {
  readonly name: string;
  /** Null: pending. */
  readonly appliedAt: string | null;
}

export type MigrationErrorCode =
  | "file-name"
  | "edited"
  | "missing"
  | "out-of-order"
  | "failed"
  | "no-way-back"
  | "locked"
  | "pending";

export class MigrationError extends Error {
  override readonly name = "MigrationError";
  readonly code: MigrationErrorCode;

  constructor(code: MigrationErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const FILE = /^(\d{4}_[a-z0-9_]+)\.(up|down)\.sql$/;

/** The migrations in `folder`, in order; none when there is no such folder. Throws a `MigrationError`. */
export function readMigrations(folder: string): Migration[] {
  const names = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".sql")) : [];
  const strange = names.find((file) => !FILE.test(file));
  if (strange !== undefined) {
    throw new MigrationError("file-name", `${join(folder, strange)}: expected a name as 0002_add_column.up.sql`);
  }
  const read = (file: string): string => readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n");
  const migrations = names
    .filter((file) => file.endsWith(".up.sql"))
    .sort()
    .map((file) => {
      const name = file.slice(0, -".up.sql".length);
      const up = read(file);
      const down = names.includes(`${name}.down.sql`) ? read(`${name}.down.sql`) : null;
      return { name, up, down, checksum: createHash("sha256").update(up).digest("hex") };
    });
  const double = migrations.find(({ name }, index) => migrations[index + 1]?.name.slice(0, 4) === name.slice(0, 4));
  if (double !== undefined) {
    throw new MigrationError(
      "file-name",
      `${join(folder, double.name)}: its number is used twice; take the next free one`,
    );
  }
  return migrations;
}

/** Every migration of `migrations` and when it was applied. Throws when the history does not fit the files. */
export async function migrationStatus(
  database: Pick<MigratedDatabase, "applied">,
  migrations: readonly Migration[],
): Promise<MigrationStatus[]> {
  const applied = await database.applied();
  checkHistory(applied, migrations);
  return migrations.map(({ name }, index) => ({ name, appliedAt: applied[index]?.appliedAt ?? null }));
}

/** Applies what is pending and gives its names. Those before one that fails stay applied. `now`: epoch milliseconds. */
export async function migrateUp(
  database: MigratedDatabase,
  migrations: readonly Migration[],
  now: () => number,
): Promise<string[]> {
  const done: string[] = [];
  while ((await migrationStatus(database, migrations)).some(({ appliedAt }) => appliedAt === null)) {
    const name = await database.exclusively(async (session) => {
      const status = await migrationStatus(session, migrations);
      const next = migrations[status.findIndex(({ appliedAt }) => appliedAt === null)];
      if (next === undefined) return null;
      await run(session, next.name, next.up);
      await session.note({ ...next, appliedAt: new Date(now()).toISOString() });
      return next.name;
    });
    if (name !== null) done.push(name);
  }
  return done;
}

/** Takes back the newest applied migration and gives its name; null when none is applied. */
export function migrateDown(database: MigratedDatabase, migrations: readonly Migration[]): Promise<string | null> {
  return database.exclusively(async (session) => {
    const status = await migrationStatus(session, migrations);
    const newest = migrations[status.filter(({ appliedAt }) => appliedAt !== null).length - 1];
    if (newest === undefined) return null;
    if (newest.down === null) {
      throw new MigrationError(
        "no-way-back",
        `${newest.name}: there is no ${newest.name}.down.sql to take it back with`,
      );
    }
    await run(session, newest.name, newest.down);
    await session.forget(newest.name);
    return newest.name;
  });
}

/** What is applied must be the beginning of what there is. */
function checkHistory(applied: readonly AppliedMigration[], migrations: readonly Migration[]): void {
  applied.forEach(({ name, checksum }, index) => {
    const migration = migrations[index];
    if (migration?.name !== name && !migrations.some((other) => other.name === name)) {
      throw new MigrationError("missing", `${name} was applied, but its files are gone: bring them back`);
    }
    if (migration === undefined || migration.name !== name) {
      const late = migration?.name ?? name;
      throw new MigrationError(
        "out-of-order",
        `${late} is older than ${name}, which is applied: give it the next number`,
      );
    }
    if (migration.checksum !== checksum) {
      const mend = "restore it and put the change into a new migration";
      throw new MigrationError("edited", `${name}.up.sql was edited after it was applied: ${mend}`);
    }
  });
}

async function run(session: MigrationSession, name: string, sql: string): Promise<void> {
  try {
    await session.run(sql);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MigrationError("failed", `${name} failed and was rolled back: ${why}`, { cause });
  }
}

/** The database could not be had: an adapter says so of what keeps it from migrating. */
export function lockedError(cause: unknown): MigrationError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `the database cannot be written now (${why}): see who else uses it, try again`;
  return new MigrationError("locked", message, { cause });
}
