/**
 * One SQLite connection, whichever driver gives it: `node:sqlite` where Node has it, else `libsql`. The runtime chooses
 * alike: two SQLite libraries in one process would drop each other's locks. Calls are synchronous. The file is shared
 * with the runtime's stores, which have a connection of their own: a transaction that is open across an `await` keeps
 * them out, so the service's writes are single statements.
 */
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { databaseError } from "../../config/start-errors.js";

export interface SqliteDatabase {
  /** Runs any number of statements. */
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  /** Within `work` a statement that finds the file locked fails at once. */
  withoutWaiting(work: () => void): void;
  close(): void;
}

export interface SqliteStatement {
  /** True when it gives rows. */
  readonly reader: boolean;
  all(parameters: readonly unknown[]): SqliteRow[];
  run(parameters: readonly unknown[]): { readonly changes: number; readonly lastInsertRowid: number | bigint };
  iterate(parameters: readonly unknown[]): IterableIterator<SqliteRow>;
}

/** Integers that a double cannot hold come as bigint, the others as number. */
export type SqliteRow = Record<string, SqliteValue>;
export type SqliteValue = null | number | bigint | string | Uint8Array;

/** How long a statement waits for another connection's write. */
const BUSY_TIMEOUT_MS = 5000;

/** `file` may be `:memory:`. Missing folders are made. Throws a `ConfigError` when the file cannot be used. */
export function openSqlite(file: string): SqliteDatabase {
  let database: SqliteDatabase | undefined;
  try {
    if (file !== ":memory:") mkdirSync(dirname(file), { recursive: true });
    database = openDriver(file);
    // In WAL mode readers do not wait for writers; FULL makes a commit survive a loss of power.
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = FULL");
    database.exec("PRAGMA foreign_keys = ON");
    return database;
  } catch (error) {
    database?.close();
    throw databaseError(error, "sqlite", file);
  }
}

function openDriver(file: string): SqliteDatabase {
  const builtin = process.getBuiltinModule("node:sqlite") as { DatabaseSync: DriverClass } | undefined;
  const Driver = builtin?.DatabaseSync ?? (createRequire(import.meta.url)("libsql") as DriverClass);
  return adapt(new Driver(file));
}

type DriverClass = new (file: string) => DriverDatabase;

/** What both drivers have. */
interface DriverDatabase {
  exec(sql: string): void;
  prepare(sql: string): DriverStatement;
  close(): void;
}

interface DriverStatement {
  all(...parameters: unknown[]): Record<string, SqliteValue>[];
  run(...parameters: unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint };
  /** libsql */
  safeIntegers?(on: boolean): unknown;
  /** node:sqlite */
  setReadBigInts?(on: boolean): void;
}

function adapt(driver: DriverDatabase): SqliteDatabase {
  return {
    exec: (sql) => driver.exec(sql),
    prepare: (sql) => adaptStatement(driver.prepare(sql), sql),
    withoutWaiting(work) {
      driver.exec("PRAGMA busy_timeout = 0");
      try {
        work();
      } finally {
        driver.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
      }
    },
    close: () => driver.close(),
  };
}

function adaptStatement(statement: DriverStatement, sql: string): SqliteStatement {
  const reader = /^\s*(select|with|values|pragma|explain)\b|\breturning\b/i.test(sql);
  if (reader) statement.safeIntegers?.(true);
  if (reader) statement.setReadBigInts?.(true);
  const all = (parameters: readonly unknown[]): SqliteRow[] => statement.all(...parameters.map(bindable)).map(narrow);
  return {
    reader,
    all,
    run(parameters) {
      const { changes, lastInsertRowid } = statement.run(...parameters.map(bindable));
      return { changes: Number(changes), lastInsertRowid };
    },
    iterate: (parameters) => all(parameters).values(),
  };
}

/** Drivers differ in what they do with other values; one of them ends the process. */
function bindable(value: unknown): SqliteValue {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value === null || value instanceof Uint8Array) return value;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "string") return value;
  throw new TypeError(`expected a value that SQLite can hold, got ${typeof value}`);
}

function narrow(row: Record<string, SqliteValue>): SqliteRow {
  for (const [name, value] of Object.entries(row)) {
    if (typeof value === "bigint" && Number.isSafeInteger(Number(value))) row[name] = Number(value);
  }
  return row;
}
