import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RuntimeError } from "../../errors.js";
import { type Database, openDatabase } from "./database.js";
import { loadDriver } from "./driver.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "clean-arch-database-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function withTable(): Database {
  const db = openDatabase(join(folder, "a.db"));
  db.exec("create table t (id integer primary key, name text not null) strict");
  return db;
}

function names(db: Database): string[] {
  return db.all<{ name: string }>("select name from t order by id").map((row) => row.name);
}

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as RuntimeError).code;
  }
  return "none";
}

describe("openDatabase", () => {
  it("creates the folder and the file, durable and in write-ahead mode", () => {
    const db = openDatabase(join(folder, "deep/er/a.db"));
    const pragma = (name: string): unknown => Object.values(db.all(`pragma ${name}`)[0] ?? {})[0];
    expect([pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys"), pragma("busy_timeout")]).toEqual([
      "wal",
      2,
      1,
      2_000,
    ]);
    expect(existsSync(join(folder, "deep/er/a.db"))).toBe(true);
    db.close();
  });

  it("shares one connection per real path and closes it with its last user", () => {
    const first = withTable();
    symlinkSync(first.file, join(folder, "link.db"));
    const second = openDatabase(join(folder, "link.db"));
    expect(second.file).toBe(first.file);
    // Two connections would wait for each other's lock here.
    first.transaction(() => second.run("insert into t (name) values (?)", ["both"]));
    first.close();
    first.close();
    expect(names(second)).toEqual(["both"]);
    expect(codeOf(() => names(first))).toBe("store-unavailable");
    second.close();
    const third = openDatabase(first.file);
    expect(names(third)).toEqual(["both"]);
    third.close();
  });

  it("keeps what was committed and undoes what threw, level by level", () => {
    const db = withTable();
    const insert = (name: string): unknown => db.run("insert into t (name) values (?)", [name]);
    db.transaction(() => {
      insert("kept");
      expect(() =>
        db.transaction(() => {
          insert("undone");
          throw new Error("inner");
        }),
      ).toThrow("inner");
      db.transaction(() => insert("kept too"));
    });
    expect(() =>
      db.transaction(() => {
        insert("gone");
        db.transaction(() => insert("gone as well"));
        throw new Error("outer");
      }),
    ).toThrow("outer");
    expect(names(db)).toEqual(["kept", "kept too"]);
    db.close();
  });

  it("keeps or undoes what was done between the calls that open and end a transaction", () => {
    const db = withTable();
    const insert = (name: string): unknown => db.run("insert into t (name) values (?)", [name]);
    const kept = db.begin();
    insert("kept");
    expect(() =>
      db.transaction(() => {
        insert("undone");
        throw new Error("inner");
      }),
    ).toThrow("inner");
    expect(codeOf(() => db.begin())).toBe("internal");
    kept.commit();
    kept.rollback();
    const undone = db.begin();
    db.transaction(() => insert("gone"));
    undone.rollback();
    undone.commit();
    expect(names(db)).toEqual(["kept"]);
    db.exec("create table child (of integer references t (id) deferrable initially deferred)");
    const refused = db.begin();
    db.run("insert into child values (?)", [99]);
    expect(codeOf(() => refused.commit())).toBe("internal");
    expect(db.all("select * from child")).toEqual([]);
    db.transaction(() => insert("usable"));
    expect(names(db)).toEqual(["kept", "usable"]);
    db.close();
  });

  it("refuses an asynchronous transaction and undoes it", () => {
    const db = withTable();
    expect(codeOf(() => db.transaction(async () => db.run("insert into t (name) values (?)", ["late"])))).toBe(
      "internal",
    );
    expect(names(db)).toEqual([]);
    db.close();
  });

  it("runs nothing of a transaction after SQLite undid it by itself", () => {
    const db = withTable();
    db.exec(`pragma max_page_count = ${Number(db.all("pragma page_count")[0]?.page_count) + 3}`);
    const fill = (): unknown => db.run("insert into t (name) values (?)", ["x".repeat(100_000)]);
    const outcome = codeOf(() =>
      db.transaction(() => {
        db.run("insert into t (name) values (?)", ["before"]);
        expect(codeOf(() => db.transaction(fill))).toBe("store-unavailable");
        db.run("insert into t (name) values (?)", ["after"]);
      }),
    );
    // Whether a full disk undoes the statement or all of it is SQLite's choice: never a half.
    expect(names(db)).toEqual(outcome === "none" ? ["before", "after"] : []);
    db.run("insert into t (name) values (?)", ["usable"]);
    expect(names(db).at(-1)).toBe("usable");
    db.close();
  });

  it("refuses parameters that a driver would misread", () => {
    const db = withTable();
    const insert = "insert into t (id, name) values (?, ?)";
    for (const bad of [true, undefined, Number.NaN, {}, 1n]) {
      expect(
        codeOf(() => db.run(insert, [1, bad as never])),
        String(bad),
      ).toBe("internal");
    }
    expect(codeOf(() => db.run(insert, [1]))).toBe("internal");
    expect(codeOf(() => db.run(insert, [1, "a", "b"]))).toBe("internal");
    expect(db.run(insert, [1, "a"]).changes).toBe(1);
    expect(db.all("insert into t (name) values (?) returning id, name", ["b"]).map((row) => ({ ...row }))).toEqual([
      { id: 2, name: "b" },
    ]);
    db.close();
  });

  it("reports a broken constraint as a fault with SQLite's code, and goes on", () => {
    const db = withTable();
    db.run("insert into t (id, name) values (?, ?)", [1, "a"]);
    try {
      db.run("insert into t (id, name) values (?, ?)", [1, "b"]);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: "internal", details: { file: db.file, sqlite: 1555 } });
    }
    expect(names(db)).toEqual(["a"]);
    db.close();
  });

  it("says that the file is locked when another connection keeps the lock", () => {
    const db = openDatabase(join(folder, "a.db"), { busyTimeoutMs: 20 });
    const other = loadDriver().open(db.file);
    other.exec("begin immediate");
    expect(() => db.transaction(() => undefined)).toThrow(
      expect.objectContaining({ code: "store-unavailable", message: expect.stringContaining(db.file) }),
    );
    other.exec("rollback");
    expect(db.transaction(() => "free")).toBe("free");
    other.close();
    db.close();
  });

  it("names the file that is no database, damaged, or cannot be opened", () => {
    const text = join(folder, "text.db");
    writeFileSync(text, "this is a text, not a database\n".repeat(100));
    expect(() => openDatabase(text)).toThrow(
      expect.objectContaining({ code: "store-incompatible", message: expect.stringContaining(text) }),
    );
    expect(codeOf(() => openDatabase(folder))).toBe("store-unavailable");
    expect(codeOf(() => openDatabase(join(text, "below.db")))).toBe("store-unavailable");
  });
});
