import type pg from "pg";
import { expect, it } from "vitest";
import type { EventBatch, EventStore, EventTransaction } from "../../store/event-store.js";
import { begun, eventsOf, GROUP, isHandled } from "../../testing/event-store/harness.js";
import { type PostgresUnderTest, postgresForTests } from "./throwaway.test.support.js";

const { open } = postgresForTests();

const test = (title: string, body: (under: PostgresUnderTest, events: EventStore) => Promise<void>): void =>
  it(title, async () => {
    const under = await open();
    try {
      await body(under, eventsOf(under.store));
    } finally {
      await under.close();
    }
  });

test("refuses to commit what a failed statement has undone, though nobody said so: it would count as handled", async (under, events) => {
  const { effects } = under;
  const transaction = await begun(events, "event-1");
  const client = clientOf(transaction);
  await effects?.write(client, "paid");
  await client.query("select 1 / 0").catch(() => {});
  await expect(transaction.commit()).rejects.toThrow("let the callback throw what it catches");
  expect(await isHandled(events, "event-1")).toBe(false);
  expect(await effects?.committed()).toEqual([]);
});

test("does so for all events of a batch", async (_under, events) => {
  const batch = await batchOf(events);
  await clientOf(batch)
    .query("select 1 / 0")
    .catch(() => {});
  await expect(batch.commit()).rejects.toThrow("let the callback throw what it catches");
  for (const id of ["event-1", "event-2"]) expect(await isHandled(events, id)).toBe(false);
});

test("lets no handler end a batch, and lets it go back within", async (_under, events) => {
  const batch = await batchOf(events);
  const client = clientOf(batch);
  for (const text of ["commit", " COMMIT;", "End", "abort", "rollback", "rollback work", "prepare transaction 'a'"]) {
    expect(() => client.query(text)).toThrow("leave its transaction open");
    expect(() => client.query({ text })).toThrow("leave its transaction open");
  }
  for (const text of ["savepoint a", "rollback to a", "rollback work to savepoint a", "release a", "select 'end'"])
    await client.query(text);
  await batch.rollback();
  for (const id of ["event-1", "event-2"]) expect(await isHandled(events, id)).toBe(false);
});

async function batchOf({ batches }: EventStore): Promise<EventBatch> {
  return (await batches?.begin(GROUP, ["event-1", "event-2"])) ?? expect.fail("expected a store with batches");
}

function clientOf({ client }: EventTransaction): pg.ClientBase {
  return client as pg.ClientBase;
}
