import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Database, openDatabase } from "./database.js";
import { type Migration, migrate } from "./migrate.js";

const FIRST: Migration = { name: "create a", sql: "create table a (id integer) strict; insert into a values (1);" };
const SECOND: Migration = { name: "create b", sql: "create table b (id integer) strict;" };

let folder: string;
let db: Database;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "clean-arch-migrate-"));
  db = openDatabase(join(folder, "a.db"));
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

function applied(): unknown[] {
  return db
    .all("select component, number, name, applied_at from clean_arch_migrations order by 1, 2")
    .map((row) => Object.values(row));
}

describe("migrate", () => {
  it("applies what is missing, once, in order, each component counting for itself", () => {
    migrate(db, "things", [FIRST], 1);
    migrate(db, "things", [FIRST], 2);
    migrate(db, "others", [{ name: "create c", sql: "create table c (id integer) strict" }], 3);
    migrate(db, "things", [FIRST, SECOND], 4);
    expect(applied()).toEqual([
      ["others", 1, "create c", 3],
      ["things", 1, "create a", 1],
      ["things", 2, "create b", 4],
    ]);
    expect(db.all("select id from a").length).toBe(1);
  });

  it("leaves the old schema when one of several migrations fails", () => {
    expect(() => migrate(db, "things", [FIRST, { name: "broken", sql: "create table" }], 1)).toThrow("failed");
    expect(db.all("select name from sqlite_master")).toEqual([]);
  });

  it("refuses a schema newer than it knows", () => {
    migrate(db, "things", [FIRST, SECOND], 1);
    expect(() => migrate(db, "things", [FIRST], 2)).toThrow(
      expect.objectContaining({ code: "store-incompatible", message: expect.stringContaining(db.file) }),
    );
  });
});
