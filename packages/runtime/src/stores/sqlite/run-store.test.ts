import { describe, expect, it } from "vitest";
import {
  activate,
  appendOne,
  claimNew,
  claimOne,
  current,
  LEASE_MS,
  newRun,
  newSignal,
  nextAppend,
  renewed,
  runId,
} from "../../testing/run-store-contract/harness.js";
import { runStoreContract } from "../../testing/run-store-contract.js";
import { type Database, openDatabase } from "./database.js";
import { loadDriver } from "./driver.js";
import { open, type SqliteUnderTest } from "./under-test.test.support.js";

runStoreContract("sqlite", { open, singleWorker: true });

describe("sqlite run store", () => {
  const test = (title: string, body: (under: SqliteUnderTest) => Promise<void>): void =>
    it(title, async () => {
      const under = await open();
      try {
        await body(under);
      } finally {
        await under.close();
      }
    });

  /** A connection of its own, as another process has it. */
  function locked<T>(file: string, body: () => Promise<T>): Promise<T> {
    const other = loadDriver().open(file);
    other.exec("begin immediate");
    return body().finally(() => {
      other.exec("rollback");
      other.close();
    });
  }

  test("rejects only the element that a statement fails on", async ({ store, file }) => {
    const runs = await claimNew(store, "w", 3);
    const db = openDatabase(file);
    for (const [table, column, value] of [
      ["runs", "business_key", "refuse me"],
      ["journal", "append_id", "refuse me"],
      ["inbox", "id", "refuse me"],
    ]) {
      const when = `when new.${column} = '${value}'`;
      db.exec(
        `create trigger refuse_${table} before insert on clean_arch_${table} ${when} begin select raise(abort, 'no'); end`,
      );
    }
    db.close();
    const created = await store.create([newRun(4), newRun(5, { businessKey: "refuse me" }), newRun(6)]);
    expect(created.map((result) => result.kind)).toEqual(["created", "rejected", "created"]);
    const appended = await store.append(
      runs.map((run, n) => nextAppend(run, n === 1 ? { appendId: "refuse me" } : {})),
    );
    expect(appended.map((result) => result.kind)).toEqual(["appended", "rejected", "appended"]);
    const signaled = await store.signal(["a", "refuse me", "b"].map((id) => newSignal(runId(1), id)));
    expect(signaled).toEqual(["accepted", "rejected", "accepted"]);
    expect(await store.get(runId(5))).toBeUndefined();
    expect(await appendOne(store, nextAppend(runs[1] ?? expect.fail()))).toMatchObject({ kind: "appended" });
  });

  test("changes nothing while another process holds the lock, and takes the same call afterwards", async ({
    store,
    file,
  }) => {
    const run = await claimOne(store, "w");
    const append = nextAppend(run, { change: { output: 1 } });
    await locked(file, async () => {
      await expect(store.append([append])).rejects.toMatchObject({ code: "store-unavailable" });
      await expect(store.create([newRun(2)])).rejects.toMatchObject({ code: "store-unavailable" });
      expect(await current(store, run.id)).toEqual(run);
    });
    expect(await appendOne(store, append)).toMatchObject({ kind: "appended" });
    expect(await current(store, run.id)).toMatchObject({ seq: 1, output: 1 });
  });

  test("takes over no lease until the file has answered for the length of a lease", async ({
    store,
    file,
    reopen,
    advance,
  }) => {
    await claimOne(store, "old");
    const other = (await reopen?.()) ?? expect.fail();
    await advance(LEASE_MS);
    await locked(file, () => expect(renewed(other, "new")).rejects.toMatchObject({ code: "store-unavailable" }));
    const until = (await other.now()) + LEASE_MS;
    expect(await renewed(other, "new")).toEqual({ kind: "standby", holder: "old", expiresAt: until });
    await advance(LEASE_MS - 1);
    expect(await renewed(other, "new")).toMatchObject({ kind: "standby" });
    await advance(1);
    expect(await renewed(other, "new")).toMatchObject({ kind: "active" });
  });

  test("lets the holder renew in the time that an outage gives it", async ({ store, file, reopen, advance }) => {
    const run = await claimOne(store, "old");
    const other = (await reopen?.()) ?? expect.fail();
    await advance(LEASE_MS);
    await locked(file, () => expect(renewed(other, "new")).rejects.toMatchObject({ code: "store-unavailable" }));
    expect(await activate(store, "old", [run.id])).toMatchObject({ lost: [] });
    await advance(LEASE_MS - 1);
    expect(await renewed(other, "new")).toMatchObject({ kind: "standby", holder: "old" });
  });

  test("ends a step's transaction with the turn it began in, so that nobody else's call falls into it", async ({
    store,
    effects,
  }) => {
    const run = await claimOne(store, "w");
    const transaction = (await store.begin?.()) ?? expect.fail();
    effects?.write(transaction.client, "late");
    await null;
    expect(await appendOne(store, nextAppend(run))).toMatchObject({ kind: "appended" });
    for (const late of [() => transaction.check(), () => effects?.write(transaction.client, "later")])
      expect(late).toThrow(expect.objectContaining({ code: "feature-unavailable" }));
    await expect(transaction.commit(nextAppend({ ...run, seq: 1 }))).rejects.toMatchObject({
      code: "feature-unavailable",
    });
    expect(await effects?.committed()).toEqual([]);
    expect(await current(store, run.id)).toMatchObject({ seq: 1 });
  });

  test("refuses a row whose step broke a constraint that is looked at last", async ({ store, file, effects }) => {
    const run = await claimOne(store, "w");
    const db = openDatabase(file);
    db.exec("create table parent (id integer primary key)");
    db.exec("create table child (of integer references parent (id) deferrable initially deferred)");
    const transaction = (await store.begin?.()) ?? expect.fail();
    effects?.write(transaction.client, "orphan");
    (transaction.client as Database).run("insert into child values (7)");
    expect(await transaction.commit(nextAppend(run))).toMatchObject({ kind: "rejected" });
    expect([await effects?.committed(), db.all("select * from child")]).toEqual([[], []]);
    expect(await appendOne(store, nextAppend(run))).toMatchObject({ kind: "appended" });
    db.close();
  });

  test("does not read records in a format of a newer version", async ({ store, file }) => {
    const run = await claimOne(store, "w");
    await appendOne(store, nextAppend(run));
    const db = openDatabase(file);
    db.exec("update clean_arch_journal set codec = 'zstd'");
    db.close();
    await expect(store.journal(run.id)).rejects.toMatchObject({ code: "store-incompatible" });
  });

  test("is refused, and stays closed, when the schema is newer", async ({ store, file }) => {
    const db = openDatabase(file);
    db.exec("insert into clean_arch_migrations values ('runs', 99, 'from the future', 0)");
    await store.close();
    await expect(store.open()).rejects.toMatchObject({ code: "store-incompatible" });
    await expect(store.ping()).rejects.toMatchObject({ code: "store-unavailable" });
    db.exec("delete from clean_arch_migrations where number = 99");
    db.close();
    await store.open();
    await store.ping();
  });

  test("pays one row per step: a step that changes nothing else leaves the run's row as it is", async ({
    store,
    file,
  }) => {
    const run = await claimOne(store, "w");
    const db = openDatabase(file);
    db.exec("create trigger untouched before update on clean_arch_runs begin select raise(abort, 'updated'); end");
    db.close();
    expect(await appendOne(store, nextAppend(run))).toMatchObject({ kind: "appended" });
    expect(await current(store, run.id)).toMatchObject({ seq: 1 });
  });
});
