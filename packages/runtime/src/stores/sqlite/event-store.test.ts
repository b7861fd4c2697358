import { describe, expect, it } from "vitest";
import { SHARDS } from "../../store/event-store.js";
import { begun, GROUP, idsIn, isHandled, newEvent, newEvents } from "../../testing/event-store/harness.js";
import { eventStoreContract } from "../../testing/event-store-contract.js";
import { appendOne, claimOne, nextAppend } from "../../testing/run-store-contract/harness.js";
import { openDatabase, type SqlValue } from "./database.js";
import { loadDriver } from "./driver.js";
import { open, type SqliteUnderTest } from "./under-test.test.support.js";

eventStoreContract("sqlite", { open, singleWorker: true });

describe("sqlite event store", () => {
  const test = (title: string, body: (under: SqliteUnderTest) => Promise<void>): void =>
    it(title, async () => {
      const under = await open();
      try {
        await body(under);
      } finally {
        await under.close();
      }
    });
  const eventsOf = ({ store }: SqliteUnderTest) => store.events ?? expect.fail("expected a store with events");

  /** As another process does, which knows nothing of who handles an event here. */
  const handleElsewhere = (file: string, event: string): void => {
    const db = openDatabase(file);
    db.run("insert into clean_arch_handled_events (reader, event, handled_at) values (?, ?, 1)", [GROUP, event]);
    db.close();
  };

  test("takes the effect back of an event that another process has handled meanwhile", async (under) => {
    const { file, effects } = under;
    const transaction = await begun(eventsOf(under), "event-1");
    handleElsewhere(file, "event-1");
    effects?.write(transaction.client, "twice");
    await expect(transaction.commit()).rejects.toMatchObject({ code: "in-progress" });
    expect(await effects?.committed()).toEqual([]);
    expect(await eventsOf(under).begin(GROUP, "event-1")).toBe("handled");
  });

  test("has nothing to take back of such an event when its transaction did nothing", async (under) => {
    const transaction = await begun(eventsOf(under), "event-1");
    handleElsewhere(under.file, "event-1");
    await transaction.commit();
    expect(await eventsOf(under).begin(GROUP, "event-1")).toBe("handled");
  });

  test("locks nothing while an event is handled", async (under) => {
    const { store } = under;
    const run = await claimOne(store, "w");
    const transaction = await begun(eventsOf(under), "event-1");
    expect(await appendOne(store, nextAppend(run, { events: [newEvent(1)] }))).toMatchObject({ kind: "appended" });
    await transaction.commit();
    expect(await isHandled(eventsOf(under), "event-1")).toBe(true);
    expect(await idsIn(eventsOf(under))).toEqual(["event-1"]);
  });

  test("ends an event's transaction with the turn it began in, and the event is not handled", async (under) => {
    const { store, effects } = under;
    const run = await claimOne(store, "w");
    const transaction = await begun(eventsOf(under), "event-1");
    effects?.write(transaction.client, "late");
    await null;
    expect(await appendOne(store, nextAppend(run))).toMatchObject({ kind: "appended" });
    expect(() => effects?.write(transaction.client, "later")).toThrow(
      expect.objectContaining({ code: "feature-unavailable" }),
    );
    await expect(transaction.commit()).rejects.toMatchObject({ code: "feature-unavailable" });
    expect(await effects?.committed()).toEqual([]);
    expect(await isHandled(eventsOf(under), "event-1")).toBe(false);
  });

  test("lets whoever waits go on when the store of the other one is closed", async (under) => {
    const other = (await under.reopen?.()) ?? expect.fail();
    const transaction = await begun(other.events ?? expect.fail(), "event-1");
    const refused = other.events?.begin(GROUP, "event-1");
    const waiting = eventsOf(under).begin(GROUP, "event-1");
    // Both have taken their place behind it.
    await other.events?.groups();
    await eventsOf(under).groups();
    await other.close();
    await expect(refused).rejects.toMatchObject({ code: "store-unavailable" });
    await expect(transaction.commit()).rejects.toMatchObject({ code: "store-unavailable" });
    const next = await waiting;
    expect(next).not.toBe("handled");
    if (next !== "handled") await next.commit();
    expect(await isHandled(eventsOf(under), "event-1")).toBe(true);
  });

  test("rejects only the event that a statement fails on, and with it its run's row", async (under) => {
    const { store, file } = under;
    const run = await claimOne(store, "w");
    const db = openDatabase(file);
    db.exec(
      "create trigger refuse before insert on clean_arch_outbox when new.id = 'event-2' begin select raise(abort, 'no'); end",
    );
    db.close();
    const results = await eventsOf(under).put(newEvents(1, 3));
    expect(results.map(({ kind }) => kind)).toEqual(["stored", "rejected", "stored"]);
    const append = nextAppend(run, { events: [newEvent(4), newEvent(2)] });
    expect(await appendOne(store, append)).toMatchObject({ kind: "rejected" });
    expect(await store.journal(run.id)).toEqual([]);
    expect(await idsIn(eventsOf(under))).toEqual(["event-1", "event-3"]);
  });

  test("comes into a file that an older version made for its runs", async (under) => {
    const { store, file } = under;
    const run = await claimOne(store, "w");
    const db = openDatabase(file);
    for (const table of ["outbox", "event_members", "event_shards", "handled_events", "parked_events"])
      db.exec(`drop table clean_arch_${table}`);
    db.exec("delete from clean_arch_migrations where component = 'events'");
    await store.close();
    db.close();
    await store.open();
    expect(await appendOne(store, nextAppend(run, { events: [newEvent(1)] }))).toMatchObject({ kind: "appended" });
    expect(await idsIn(eventsOf(under))).toEqual(["event-1"]);
  });

  test("takes events within a transaction of a connection of the caller's own", async (under) => {
    const { file } = under;
    const own = openDatabase(file);
    const client = { run: (sql: string, parameters: readonly SqlValue[]) => own.run(sql, parameters) };
    own.exec("begin immediate");
    eventsOf(under).putWithin(client, [newEvent(1)]);
    own.exec("rollback");
    own.exec("begin immediate");
    eventsOf(under).putWithin(client, [newEvent(2)]);
    own.exec("commit");
    own.close();
    expect(await idsIn(eventsOf(under))).toEqual(["event-2"]);
  });

  test("does not block the process for long over a lease while another one keeps the file locked", async (under) => {
    const other = loadDriver().open(under.file);
    other.exec("begin immediate");
    const began = performance.now();
    await expect(eventsOf(under).lease(GROUP, "member", 1_000)).rejects.toMatchObject({ code: "store-unavailable" });
    // A run's call waits two seconds.
    expect(performance.now() - began).toBeLessThan(1_000);
    other.exec("rollback");
    other.close();
    expect(await eventsOf(under).lease(GROUP, "member", 1_000)).toHaveLength(SHARDS);
  });

  test("takes events only by the client of a transaction", async (under) => {
    for (const client of [undefined, null, {}, "client"])
      expect(() => eventsOf(under).putWithin(client, [newEvent(1)])).toThrow(
        expect.objectContaining({ code: "input-invalid" }),
      );
  });
});
