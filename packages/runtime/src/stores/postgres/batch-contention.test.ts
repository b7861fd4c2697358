import { describe, expect, it } from "vitest";
import {
  advanced,
  batchesOf,
  led,
  numbers,
  opened,
  planted,
  plantOf,
  progress,
  RUN,
  settledOf,
  spans,
  taken,
} from "../../testing/batch-store/harness.js";
import { activate, LEASE_MS } from "../../testing/run-store-contract/harness.js";
import { type PostgresUnderTest, postgresForTests } from "./throwaway.test.support.js";

const { open } = postgresForTests();

const test = (title: string, body: (under: PostgresUnderTest) => Promise<void>): void =>
  it(title, async () => {
    const under = await open();
    try {
      await body(under);
    } finally {
      await under.close();
    }
  });

/** Somebody else has the batch's row while these calls come, one after the other; then it is free. */
async function whileLocked<T>(under: PostgresUnderTest, ...calls: readonly (() => Promise<T>)[]): Promise<T[]> {
  const { schema, query, begin } = under;
  const blocked = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%"${schema}"%'`;
  const holder = await begin();
  await holder.query(`select 1 from "${schema}".batches for update`);
  const answers: Promise<T>[] = [];
  for (const call of calls) {
    answers.push(call());
    while ((await query(blocked)).length < answers.length);
  }
  await holder.query("commit");
  return Promise.all(answers);
}

/** What is on the batch's row is what its chunks say. */
async function expectTrueCounts({ query, schema }: PostgresUnderTest): Promise<void> {
  const [counts] = await query(`select b.open_chunks, b.owned_chunks,
    (select count(*)::int from "${schema}".batch_chunks c where c.run = b.run) as open,
    (select count(*)::int from "${schema}".batch_chunks c where c.run = b.run and c.owner is not null) as owned,
    (select count(*)::int from "${schema}".batch_chunks c where c.run = b.run and c.n < b.low) as below
    from "${schema}".batches b`);
  expect(counts).toMatchObject({ open: counts?.open_chunks, owned: counts?.owned_chunks, below: 0 });
}

describe("two that wait for one batch", () => {
  test("are each given chunks, and none of them twice", async (under) => {
    const { store, reopen } = under;
    const [batches, other] = [batchesOf(store), batchesOf(await reopen())];
    await opened(store, { concurrency: 9 });
    await activate(store, "other");
    await planted(batches, RUN, spans(9));
    const given = await whileLocked(
      under,
      () => taken(batches, RUN, 4),
      () => taken(other, RUN, 4, { worker: "other" }),
    );
    expect(given.map(numbers)).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]);
    await expectTrueCounts(under);
  });

  test("stay within its concurrency together", async (under) => {
    const { store, reopen } = under;
    const [batches, other] = [batchesOf(store), batchesOf(await reopen())];
    await opened(store, { concurrency: 5 });
    await activate(store, "other");
    await planted(batches, RUN, spans(9));
    const given = await whileLocked(
      under,
      () => taken(batches, RUN, 4),
      () => taken(other, RUN, 4, { worker: "other" }),
    );
    expect(given.map(({ length }) => length)).toEqual([4, 1]);
    expect(await progress(batches, RUN)).toMatchObject({ ownedChunks: 5 });
  });

  test("end it once, when each settles one of its last two chunks", async (under) => {
    const { store, reopen } = under;
    const [batches, other] = [batchesOf(store), batchesOf(await reopen())];
    await opened(store);
    await planted(batches, RUN, spans(2), { isEnd: true });
    const [one, two] = await taken(batches, RUN, 2);
    if (!one || !two) return expect.unreachable();
    const answers = await whileLocked(
      under,
      () => advanced(batches, RUN, { settled: [settledOf(one)], holding: [2] }),
      () => advanced(other, RUN, { settled: [settledOf(two)], worker: "other" }),
    );
    expect(answers.map(({ status }) => status)).toEqual(["open", "ended"]);
    expect(await progress(batches, RUN)).toMatchObject({ status: "ended", done: 20, openChunks: 0 });
  });

  test("go over its budget once, when each brings a part of the failures", async (under) => {
    const { store, reopen } = under;
    const [batches, other] = [batchesOf(store), batchesOf(await reopen())];
    await opened(store, { maxFailures: 1 });
    await planted(batches, RUN, spans(3));
    const [one, two] = await taken(batches, RUN, 2);
    if (!one || !two) return expect.unreachable();
    const answers = await whileLocked(
      under,
      () => advanced(batches, RUN, { settled: [settledOf(one, 1)], holding: [2] }),
      () => advanced(other, RUN, { settled: [settledOf(two, 1)], take: 1, worker: "other" }),
    );
    expect(answers.map(({ status, taken: more }) => [status, more.length])).toEqual([
      ["open", 0],
      ["halted", 0],
    ]);
  });

  test("count a chunk once that both settle", async (under) => {
    const { store, reopen } = under;
    const [batches, other] = [batchesOf(store), batchesOf(await reopen())];
    await opened(store, { maxFailures: 9 });
    await planted(batches, RUN, spans(2));
    const [one] = await taken(batches, RUN, 1);
    if (!one) return expect.unreachable();
    const settle = (on: typeof batches) => () => advanced(on, RUN, { settled: [settledOf(one, 1)] });
    const answers = await whileLocked(under, settle(batches), settle(other));
    expect(answers.map(({ results }) => results)).toEqual([["settled"], ["lost"]]);
    expect(await progress(batches, RUN)).toMatchObject({ done: 9, failed: 1, openChunks: 1, ownedChunks: 0 });
    expect((await batches.failures(RUN, { limit: 9 })).items.length).toBe(1);
  });

  test("lead it one after the other", async (under) => {
    const { store, reopen } = under;
    const [batches, other] = [batchesOf(store), batchesOf(await reopen())];
    await opened(store);
    await activate(store, "other");
    const leads = await whileLocked(
      under,
      () => batches.lead(RUN, "w"),
      () => other.lead(RUN, "other"),
    );
    expect(leads).toEqual([{ fence: 1, cursor: null, next: 1 }, null]);
  });
});

describe("what waits behind another call", () => {
  test("drops what was planted meanwhile, when it closes the batch", async (under) => {
    const { store, reopen } = under;
    const [batches, other] = [batchesOf(store), batchesOf(await reopen())];
    await opened(store);
    const lead = await led(batches, RUN);
    const answers = await whileLocked<unknown>(
      under,
      () => batches.plant(plantOf(RUN, lead, spans(3))),
      () => other.close(RUN),
    );
    expect(answers).toEqual([{ kind: "planted", taken: [] }, "closed"]);
    expect(await progress(batches, RUN)).toMatchObject({ status: "ended", planted: 30, openChunks: 0 });
    await expectTrueCounts(under);
  });

  test("plants nothing when the run's failed items were numbered meanwhile", async (under) => {
    const { store, reopen } = under;
    const [batches, other] = [batchesOf(store), batchesOf(await reopen())];
    await opened(store, { maxFailures: 9 });
    await planted(batches, RUN, spans(1));
    const [one] = await taken(batches, RUN, 1);
    if (!one) return expect.unreachable();
    await advanced(batches, RUN, { settled: [settledOf(one, 2)] });
    const lead = await led(batches, RUN);
    const answers = await whileLocked<unknown>(
      under,
      () => other.requeue(RUN, 2, null),
      () => batches.plant(plantOf(RUN, lead, spans(3, 10, 2))),
    );
    expect(answers).toEqual([2, { kind: "lost" }]);
    await expectTrueCounts(under);
  });

  test("takes back what a worker took whose burial its call did not see", async (under) => {
    const { store, query, schema, advance } = under;
    const batches = batchesOf(store);
    await opened(store, { concurrency: 1 });
    await planted(batches, RUN, spans(2));
    const [given] = await whileLocked(under, async () => {
      const taking = taken(batches, RUN, 1);
      while (
        (await query(`select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%"${schema}"%'`))
          .length < 1
      );
      await query(`update "${schema}".workers set dead = true, crashed = true`);
      return taking;
    });
    expect(numbers(given ?? [])).toEqual([1]);
    await advance(LEASE_MS);
    await activate(store, "new");
    expect(await taken(batches, RUN, 1, { worker: "new" })).toMatchObject([{ n: 1, fence: 2, crashes: 1 }]);
    await expectTrueCounts(under);
  });

  test("is no transaction with an effect: others go on until it settles", async (under) => {
    const { store, effects, reopen } = under;
    const [batches, other] = [batchesOf(store), batchesOf(await reopen())];
    await opened(store);
    await planted(batches, RUN, spans(3));
    const [one, two] = await taken(batches, RUN, 2);
    if (!one || !two || !effects) return expect.unreachable();
    const transaction = (await batches.begin?.(one)) ?? expect.fail("expected a transaction");
    await effects.write(transaction.client, "paid");
    expect(await advanced(other, RUN, { settled: [settledOf(two)], holding: [1], take: 1 })).toMatchObject({
      ...{ results: ["settled"], taken: [{ n: 3 }] },
    });
    expect(await transaction.commit(settledOf(one))).toBe("settled");
    expect(await effects.committed()).toEqual(["paid"]);
    expect(await progress(batches, RUN)).toMatchObject({ done: 20, openChunks: 1, ownedChunks: 1 });
  });
});
