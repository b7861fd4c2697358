import { expect, it } from "vitest";
import type { RunRow, StepTransaction } from "../../store/run-store.js";
import {
  activate,
  appendOne,
  claimAll,
  claimOne,
  first,
  nextAppend,
} from "../../testing/run-store-contract/harness.js";
import { type PostgresUnderTest, postgresForTests } from "./throwaway.test.support.js";

const { open } = postgresForTests();

const test = (title: string, body: (under: PostgresUnderTest) => Promise<void>): void =>
  it(title, async () => {
    const under = await open();
    try {
      await under.query(`create table "${under.schema}".effects (step text)`);
      await body(under);
    } finally {
      await under.close();
    }
  });

interface Client {
  query(sql: string): Promise<{ rows: unknown[] }>;
}

async function withEffect({ store, schema }: PostgresUnderTest): Promise<StepTransaction> {
  const transaction = await store.begin?.();
  if (transaction === undefined) return expect.unreachable();
  await (transaction.client as Client).query(`insert into "${schema}".effects values ('pay')`);
  return transaction;
}

async function effects({ query, schema }: PostgresUnderTest): Promise<number> {
  return (await query(`select * from "${schema}".effects`)).length;
}

async function journal({ store }: PostgresUnderTest, run: RunRow): Promise<number> {
  return (await store.journal(run.id)).length;
}

test("commits a step's effect and its row together", async (under) => {
  const run = await claimOne(under.store, "w");
  const transaction = await withEffect(under);
  expect([await effects(under), await journal(under, run)]).toEqual([0, 0]);
  const output = { change: { status: "completed", output: 1 }, next: { kind: "finish" } } as const;
  expect(await transaction.commit(nextAppend(run, output))).toMatchObject({ kind: "appended" });
  expect([await effects(under), await journal(under, run)]).toEqual([1, 1]);
  await transaction.rollback();
  expect(await under.store.get(run.id)).toMatchObject({ status: "completed", output: 1 });
});

test("keeps neither when it is rolled back", async (under) => {
  const run = await claimOne(under.store, "w");
  const transaction = await withEffect(under);
  await transaction.rollback();
  await transaction.rollback();
  expect([await effects(under), await journal(under, run)]).toEqual([0, 0]);
  expect(await appendOne(under.store, nextAppend(run))).toMatchObject({ kind: "appended" });
});

test("takes a stale owner's effect back with its row", async (under) => {
  const { store, advance } = under;
  const run = await claimOne(store, "old");
  const transaction = await withEffect(under);
  await advance(10_000);
  await activate(store, "new");
  first(await claimAll(store, "new"));
  expect(await transaction.commit(nextAppend(run))).toEqual({ kind: "lease-lost" });
  expect([await effects(under), await journal(under, run)]).toEqual([0, 1]);
});

test("is settled by another row at its place when nobody knows whether it committed", async (under) => {
  const run = await claimOne(under.store, "w");
  const committed = await withEffect(under);
  await committed.commit(nextAppend(run, { appendId: "in doubt" }));
  expect(await appendOne(under.store, nextAppend(run, { appendId: "settles" }))).toEqual({ kind: "lease-lost" });
  const open = await withEffect(under);
  expect(await appendOne(under.store, nextAppend({ ...run, seq: 1 }, { appendId: "settles" }))).toMatchObject({
    kind: "appended",
  });
  expect(await open.commit(nextAppend({ ...run, seq: 1 }, { appendId: "too late" }))).toEqual({ kind: "lease-lost" });
  expect(await effects(under)).toBe(1);
});

test("is ended by the server when its step falls silent, and takes its effect with it", async (under) => {
  const run = await claimOne(under.store, "w");
  const transaction = await withEffect(under);
  await under.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where state = 'idle in transaction' and query like 'insert into%effects%'",
  );
  await expect(transaction.commit(nextAppend(run))).rejects.toMatchObject({ code: "store-unavailable" });
  expect([await effects(under), await journal(under, run)]).toEqual([0, 0]);
});
