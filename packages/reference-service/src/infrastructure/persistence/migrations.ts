/**
 * Migrations: plain SQL files `NNNN_name.up.sql` and `NNNN_name.down.sql`, applied in the order of their numbers, each
 * in one transaction together with the note that it was. The transaction takes the write lock first and looks again at
 * what is applied, so several processes may start at once. An applied file is history: when it was edited, is missing,
 * or an older number turns up after it, nothing runs until a person has looked.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SqliteDatabase } from "./sqlite/database.js";
import { isUnavailable } from "./sqlite/driver-errors.js";

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
export function migrationStatus(database: SqliteDatabase, migrations: readonly Migration[]): MigrationStatus[] {
  const applied = readApplied(database);
  checkHistory(applied, migrations);
  return migrations.map(({ name }, index) => ({ name, appliedAt: applied[index]?.appliedAt ?? null }));
}

/** Applies what is pending and gives its names. Those before one that fails stay applied. `now`: epoch milliseconds. */
export function migrateUp(database: SqliteDatabase, migrations: readonly Migration[], now: () => number): string[] {
  const done: string[] = [];
  while (migrationStatus(database, migrations).some(({ appliedAt }) => appliedAt === null)) {
    const name = inTransaction(database, () => {
      const position = migrationStatus(database, migrations).findIndex(({ appliedAt }) => appliedAt === null);
      const next = migrations[position];
      if (next === undefined) return null;
      run(database, next.name, next.up);
      database
        .prepare("INSERT INTO _migrations (name, checksum, applied_at) VALUES (?, ?, ?)")
        .run([next.name, next.checksum, new Date(now()).toISOString()]);
      return next.name;
    });
    if (name !== null) done.push(name);
  }
  return done;
}

/** Takes back the newest applied migration and gives its name; null when none is applied. */
export function migrateDown(database: SqliteDatabase, migrations: readonly Migration[]): string | null {
  return inTransaction(database, () => {
    const applied = migrationStatus(database, migrations).filter(({ appliedAt }) => appliedAt !== null);
    const newest = migrations[applied.length - 1];
    if (newest === undefined) return null;
    if (newest.down === null) {
      throw new MigrationError(
        "no-way-back",
        `${newest.name}: there is no ${newest.name}.down.sql to take it back with`,
      );
    }
    run(database, newest.name, newest.down);
    database.prepare("DELETE FROM _migrations WHERE name = ?").run([newest.name]);
    return newest.name;
  });
}

interface Applied {
  readonly name: string;
  readonly checksum: string;
  readonly appliedAt: string;
}

function readApplied(database: SqliteDatabase): Applied[] {
  const columns = "name TEXT PRIMARY KEY, checksum TEXT NOT NULL, applied_at TEXT NOT NULL";
  lock(() => database.exec(`CREATE TABLE IF NOT EXISTS _migrations (${columns}) STRICT`));
  const rows = database.prepare("SELECT name, checksum, applied_at FROM _migrations ORDER BY name").all([]);
  return rows.map((row) => ({
    name: String(row.name),
    checksum: String(row.checksum),
    appliedAt: String(row.applied_at),
  }));
}

/** What is applied must be the beginning of what there is. */
function checkHistory(applied: readonly Applied[], migrations: readonly Migration[]): void {
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

function run(database: SqliteDatabase, name: string, sql: string): void {
  try {
    database.exec(sql);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MigrationError("failed", `${name} failed and was rolled back: ${why}`, { cause });
  }
}

function inTransaction<Result>(database: SqliteDatabase, work: () => Result): Result {
  lock(() => database.exec("BEGIN IMMEDIATE"));
  try {
    const result = work();
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
}

function lock(take: () => void): void {
  try {
    take();
  } catch (cause) {
    if (!isUnavailable(cause)) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MigrationError("locked", `the database cannot be written now (${why}): see who else uses it, try again`, {
      cause,
    });
  }
}
