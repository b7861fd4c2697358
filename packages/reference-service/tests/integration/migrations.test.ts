import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  MigrationError,
  type MigrationErrorCode,
  migrateDown,
  migrateUp,
  migrationStatus,
  readMigrations,
} from "../../src/infrastructure/persistence/migrations.js";
import { prepareDatabase } from "../../src/infrastructure/persistence/prepare.js";
import { openSqlite, type SqliteDatabase } from "../../src/infrastructure/persistence/sqlite/database.js";

const now = (): number => Date.UTC(2026, 0, 31);

let root: string;
let folder: string;
let database: SqliteDatabase;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "migrations-"));
  folder = join(root, "sqlite");
  database = openSqlite(join(folder, "test.db"));
  write("0001_first", "CREATE TABLE first (n INTEGER);", "DROP TABLE first;");
  write("0002_second", "CREATE TABLE second (n INTEGER); INSERT INTO first VALUES (1);", "DROP TABLE second;");
});

afterEach(() => {
  database.close();
  rmSync(root, { recursive: true });
});

function write(name: string, up: string, down?: string): void {
  writeFileSync(join(folder, `${name}.up.sql`), up);
  if (down !== undefined) writeFileSync(join(folder, `${name}.down.sql`), down);
}

const up = (): string[] => migrateUp(database, readMigrations(folder), now);
const tables = (): unknown[] =>
  database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> '_migrations' ORDER BY name")
    .all([])
    .map(({ name }) => name);

function codeOf(act: () => unknown): MigrationErrorCode | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof MigrationError) return error.code;
    throw error;
  }
}

test("applies what is pending in order, once, and notes when", () => {
  expect(up()).toEqual(["0001_first", "0002_second"]);
  expect(up()).toEqual([]);
  expect(migrationStatus(database, readMigrations(folder))).toEqual([
    { name: "0001_first", appliedAt: "2026-01-31T00:00:00.000Z" },
    { name: "0002_second", appliedAt: "2026-01-31T00:00:00.000Z" },
  ]);
});

test("takes back one at a time, the newest first", () => {
  up();
  const down = (): string | null => migrateDown(database, readMigrations(folder));
  expect(down()).toBe("0002_second");
  expect(tables()).toEqual(["first"]);
  expect(down()).toBe("0001_first");
  expect(down()).toBeNull();
  expect(up()).toHaveLength(2);
});

test("a migration that fails leaves nothing of itself and everything before it", () => {
  write("0002_second", "CREATE TABLE second (n INTEGER); INSERT INTO nowhere VALUES (1);");
  expect(codeOf(up)).toBe("failed");
  expect(tables()).toEqual(["first"]);
  write("0002_second", "CREATE TABLE second (n INTEGER);");
  expect(up()).toEqual(["0002_second"]);
});

test("an applied migration that was edited stops everything; other line ends are no edit", () => {
  up();
  write("0001_first", "CREATE TABLE first (n INTEGER);\r\n".trimEnd());
  expect(codeOf(up)).toBeUndefined();
  write("0001_first", "CREATE TABLE first (n INTEGER, more TEXT);");
  write("0003_third", "CREATE TABLE third (n INTEGER);");
  expect(codeOf(up)).toBe("edited");
  expect(codeOf(() => migrateDown(database, readMigrations(folder)))).toBe("edited");
  expect(tables()).toEqual(["first", "second"]);
});

test("a missing file, a number out of order, a number used twice and a strange name are refused", () => {
  up();
  rmSync(join(folder, "0001_first.up.sql"));
  expect(codeOf(up)).toBe("missing");
  write("0001_first", "CREATE TABLE first (n INTEGER);");
  write("0001_earlier", "CREATE TABLE earlier (n INTEGER);");
  expect(codeOf(up)).toBe("file-name");
  rmSync(join(folder, "0001_earlier.up.sql"));
  write("0000_earlier", "CREATE TABLE earlier (n INTEGER);");
  expect(codeOf(up)).toBe("out-of-order");
  rmSync(join(folder, "0000_earlier.up.sql"));
  writeFileSync(join(folder, "notes.sql"), "");
  expect(codeOf(up)).toBe("file-name");
});

test("without a down file there is no way back", () => {
  write("0003_third", "CREATE TABLE third (n INTEGER);");
  up();
  expect(codeOf(() => migrateDown(database, readMigrations(folder)))).toBe("no-way-back");
});

test("in production pending migrations refuse the start; elsewhere the start applies them", () => {
  const prepare = (production: boolean): string[] =>
    prepareDatabase(database, { migrationsFolder: root, production, now });
  expect(codeOf(() => prepare(true))).toBe("pending");
  expect(prepare(false)).toHaveLength(2);
  expect(prepare(true)).toEqual([]);
});

test("a database that somebody keeps locked is told apart from a migration that fails", () => {
  const other = openSqlite(join(folder, "test.db"));
  other.exec("BEGIN IMMEDIATE");
  database.exec("PRAGMA busy_timeout = 0");
  expect(codeOf(up)).toBe("locked");
  other.close();
  expect(up()).toHaveLength(2);
});

test("no folder is no migrations", () => {
  expect(readMigrations(join(root, "nowhere"))).toEqual([]);
});

test("waits for another process that is migrating, and sees what it did", async () => {
  // A thread holds the write lock as a second process would, applies the first migration by hand and lets go.
  const { name, checksum } = readMigrations(folder)[0] as { name: string; checksum: string };
  const code = `
    const { workerData, parentPort } = require("node:worker_threads");
    const Database = process.getBuiltinModule("node:sqlite")?.DatabaseSync ?? require("libsql");
    const database = new Database(workerData.file);
    database.exec("CREATE TABLE IF NOT EXISTS _migrations (name TEXT PRIMARY KEY, checksum TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT");
    database.exec("BEGIN IMMEDIATE");
    parentPort.postMessage("locked");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    database.exec(workerData.sql);
    database.prepare("INSERT INTO _migrations VALUES (?, ?, 'then')").run(workerData.name, workerData.checksum);
    database.exec("COMMIT");
    database.close();`;
  const sql = readFileSync(join(folder, "0001_first.up.sql"), "utf8");
  const worker = new Worker(code, { eval: true, workerData: { file: join(folder, "test.db"), sql, name, checksum } });
  const ended = new Promise((resolve) => worker.once("exit", resolve));
  await new Promise((resolve) => worker.once("message", resolve));
  expect(up()).toEqual(["0002_second"]);
  await ended;
});
