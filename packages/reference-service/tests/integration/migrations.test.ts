import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLogger } from "../../src/infrastructure/logging/logger.js";
import { type Database, openDatabase } from "../../src/infrastructure/persistence/database.js";
import {
  MigrationError,
  type MigrationErrorCode,
  migrateDown,
  migrateUp,
  migrationStatus,
  readMigrations,
} from "../../src/infrastructure/persistence/migrations.js";
import { prepareDatabase } from "../../src/infrastructure/persistence/prepare.js";
import { openSqlite } from "../../src/infrastructure/persistence/sqlite/database.js";
import { newTestDatabase, type TestDatabase } from "./test-database.js";

const now = (): number => Date.UTC(2026, 0, 31);

/** What a file's write lock does; on a server the migrations have a lock of their own. */
const onFile = test.skipIf((process.env.TEST_DATABASE_URL ?? "") !== "");

let root: string;
let folder: string;
let server: TestDatabase | null;
let database: Database;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "migrations-"));
  server = await newTestDatabase("schema");
  folder = join(root, server === null ? "sqlite" : "postgres");
  mkdirSync(folder);
  database = await open();
  write("0001_first", "CREATE TABLE first (n INTEGER);", "DROP TABLE first;");
  write("0002_second", "CREATE TABLE second (n INTEGER); INSERT INTO first VALUES (1);", "DROP TABLE second;");
});

afterEach(async () => {
  await database.close();
  await server?.remove();
  rmSync(root, { recursive: true });
});

function open(): Promise<Database> {
  const chosen =
    server === null
      ? ({ driver: "sqlite", file: join(folder, "test.db") } as const)
      : ({ driver: "postgres", url: server.url, pool: 2 } as const);
  return openDatabase({ name: "test", database: chosen }, createLogger("test", "silent"));
}

function write(name: string, up: string, down?: string): void {
  writeFileSync(join(folder, `${name}.up.sql`), up);
  if (down !== undefined) writeFileSync(join(folder, `${name}.down.sql`), down);
}

const up = (): Promise<string[]> => migrateUp(database.migrated, readMigrations(folder), now);
const down = (): Promise<string | null> => migrateDown(database.migrated, readMigrations(folder));

async function tables(): Promise<unknown[]> {
  const { opened } = database;
  const sql =
    opened.driver === "sqlite"
      ? "SELECT name FROM sqlite_master WHERE type = 'table'"
      : "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()";
  const rows =
    opened.driver === "sqlite" ? opened.database.prepare(sql).all([]) : (await opened.database.pool.query(sql)).rows;
  return rows
    .map(({ name }) => name)
    .filter((name) => name !== "_migrations")
    .sort();
}

async function codeOf(act: () => unknown): Promise<MigrationErrorCode | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (error instanceof MigrationError) return error.code;
    throw error;
  }
}

test("applies what is pending in order, once, and notes when", async () => {
  expect(await up()).toEqual(["0001_first", "0002_second"]);
  expect(await up()).toEqual([]);
  expect(await migrationStatus(database.migrated, readMigrations(folder))).toEqual([
    { name: "0001_first", appliedAt: "2026-01-31T00:00:00.000Z" },
    { name: "0002_second", appliedAt: "2026-01-31T00:00:00.000Z" },
  ]);
});

test("takes back one at a time, the newest first", async () => {
  await up();
  expect(await down()).toBe("0002_second");
  expect(await tables()).toEqual(["first"]);
  expect(await down()).toBe("0001_first");
  expect(await down()).toBeNull();
  expect(await up()).toHaveLength(2);
});

test("a migration that fails leaves nothing of itself and everything before it", async () => {
  write("0002_second", "CREATE TABLE second (n INTEGER); INSERT INTO nowhere VALUES (1);");
  expect(await codeOf(up)).toBe("failed");
  expect(await tables()).toEqual(["first"]);
  write("0002_second", "CREATE TABLE second (n INTEGER);");
  expect(await up()).toEqual(["0002_second"]);
});

test("an applied migration that was edited stops everything; other line ends are no edit", async () => {
  await up();
  write("0001_first", "CREATE TABLE first (n INTEGER);\r\n".trimEnd());
  expect(await codeOf(up)).toBeUndefined();
  write("0001_first", "CREATE TABLE first (n INTEGER, more TEXT);");
  write("0003_third", "CREATE TABLE third (n INTEGER);");
  expect(await codeOf(up)).toBe("edited");
  expect(await codeOf(down)).toBe("edited");
  expect(await tables()).toEqual(["first", "second"]);
});

test("a missing file, a number out of order, a number used twice and a strange name are refused", async () => {
  await up();
  rmSync(join(folder, "0001_first.up.sql"));
  expect(await codeOf(up)).toBe("missing");
  write("0001_first", "CREATE TABLE first (n INTEGER);");
  write("0001_earlier", "CREATE TABLE earlier (n INTEGER);");
  expect(await codeOf(up)).toBe("file-name");
  rmSync(join(folder, "0001_earlier.up.sql"));
  write("0000_earlier", "CREATE TABLE earlier (n INTEGER);");
  expect(await codeOf(up)).toBe("out-of-order");
  rmSync(join(folder, "0000_earlier.up.sql"));
  writeFileSync(join(folder, "notes.sql"), "");
  expect(await codeOf(up)).toBe("file-name");
});

test("without a down file there is no way back", async () => {
  write("0003_third", "CREATE TABLE third (n INTEGER);");
  await up();
  expect(await codeOf(down)).toBe("no-way-back");
});

test("in production pending migrations refuse the start; elsewhere the start applies them", async () => {
  const prepare = (production: boolean): Promise<string[]> =>
    prepareDatabase(database.migrated, { migrationsFolder: root, production, now });
  expect(await codeOf(() => prepare(true))).toBe("pending");
  expect(await prepare(false)).toHaveLength(2);
  expect(await prepare(true)).toEqual([]);
});

onFile("a database that somebody keeps locked is told apart from a migration that fails", async () => {
  const other = openSqlite(join(folder, "test.db"));
  other.exec("BEGIN IMMEDIATE");
  if (database.opened.driver === "sqlite") database.opened.database.exec("PRAGMA busy_timeout = 0");
  expect(await codeOf(up)).toBe("locked");
  other.close();
  expect(await up()).toHaveLength(2);
});

test("of many that start at once, one applies each migration and the others find it done", async () => {
  const others = await Promise.all(Array.from({ length: server === null ? 0 : 9 }, open));
  const runs = [database, ...others].map(({ migrated }) => migrateUp(migrated, readMigrations(folder), now));
  expect((await Promise.all(runs)).flat().sort()).toEqual(["0001_first", "0002_second"]);
  await Promise.all(others.map((other) => other.close()));
});

test("no folder is no migrations", async () => {
  expect(readMigrations(join(root, "nowhere"))).toEqual([]);
});

onFile("waits for another process that is migrating, and sees what it did", async () => {
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
  expect(await up()).toEqual(["0002_second"]);
  await ended;
});
