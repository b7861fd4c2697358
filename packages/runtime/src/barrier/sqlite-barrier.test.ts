import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../stores/sqlite/index.js";
import { createManualClock } from "../testing/manual-clock.js";
import { type BarrierUnderTest, barrierContract, step } from "./barrier-contract.test.support.js";
import { sqliteBarrier } from "./sqlite-barrier.js";
import { type SqliteDatabase, sqliteHandle } from "./sqlite-handle.js";

type Opened = SqliteDatabase & { close(): unknown };
type Driver = new (file: string) => Opened;

const drivers: Readonly<Record<string, ((file: string) => Opened) | undefined>> = {
  "the runtime's Database": openDatabase,
  libsql: (file) => new (createRequire(import.meta.url)("libsql") as Driver)(file),
  "node:sqlite": nodeSqlite(),
};

function nodeSqlite(): ((file: string) => Opened) | undefined {
  const builtin = process.getBuiltinModule?.("node:sqlite") as unknown as { DatabaseSync: Driver } | undefined;
  return builtin && ((file) => new builtin.DatabaseSync(file));
}

function underTest(open: (file: string) => Opened): BarrierUnderTest<Opened> & { readonly db: Opened } {
  const folder = mkdtempSync(join(tmpdir(), "barrier-"));
  const clock = createManualClock();
  const opened: Opened[] = [];
  const connect = (): Opened => {
    const db = open(join(folder, "participant.db"));
    opened.push(db);
    db.exec("pragma busy_timeout = 20; create table if not exists effects (name text)");
    return db;
  };
  const db = connect();
  const sql = sqliteHandle(db);
  const barrier = sqliteBarrier(db, { clock });
  void barrier.migrate();
  return {
    ...{ barrier, db },
    another: (options) => sqliteBarrier(connect(), { clock, ...options }),
    doing: (name, outcome) => (tx) => {
      sqliteHandle(tx).run("insert into effects values (?)", [name]);
      return outcome();
    },
    undoing: (name) => (tx) => void sqliteHandle(tx).run("delete from effects where name = ?", [name]),
    effects: async () => sql.all<{ name: string }>("select name from effects order by name").map((row) => row.name),
    age: async (ms) => clock.advance(ms),
    keys: async () => sql.all("select key from clean_arch_barrier_calls").length,
    close: async () => {
      for (const each of opened) each.close();
      rmSync(folder, { recursive: true });
    },
  };
}

for (const [name, open] of Object.entries(drivers)) {
  if (open !== undefined) barrierContract(`SQLite through ${name}`, async () => underTest(open));
  else describe.skip(`SQLite through ${name}: this Node has none`, () => {});
}

describe.each(Object.entries(drivers).filter(([, open]) => open !== undefined))("on SQLite through %s", (_, open) => {
  const start = () => underTest(open as (file: string) => Opened);

  it("refuses an asynchronous handler and undoes what it did", async () => {
    const { barrier, doing, effects, keys, close } = start();
    const asynchronous = barrier.run(step("pay"), async (tx) => doing("pay", () => 1)(tx, undefined));
    await expect(asynchronous).rejects.toMatchObject({ code: "feature-unavailable" });
    const failing = barrier.run(step("pay"), (tx) => {
      void doing("pay", () => 1)(tx, undefined);
      return Promise.reject(new Error("heard by nobody else"));
    });
    await expect(failing).rejects.toMatchObject({ code: "feature-unavailable" });
    expect([await effects(), await keys()]).toEqual([[], 0]);
    await close();
  });

  it("asks for its tables when they were not made", async () => {
    const { db, barrier, close } = start();
    db.exec("drop table clean_arch_barrier_calls");
    const message = expect.stringContaining("run migrate()");
    // The runtime's own Database speaks for itself.
    const expected = "prepare" in db ? { code: "store-unavailable", message } : { code: "store-incompatible" };
    await expect(barrier.run(step("pay"), () => 1)).rejects.toMatchObject(expected);
    await close();
  });
});

it("says that the file is locked by another process's write, and goes on afterwards", async () => {
  const { another, db, barrier, close } = underTest(drivers.libsql as (file: string) => Opened);
  const other = another();
  db.exec("begin immediate");
  const waiting = other.run(step("pay"), () => 1);
  db.exec("rollback");
  await expect(waiting).rejects.toMatchObject({ code: "store-unavailable" });
  expect(await barrier.run(step("pay"), () => 1)).toBe(1);
  await close();
});
