import { expect, it } from "vitest";
import type { Append, RunRow } from "../../store/run-store.js";
import { claimNew, nextAppend } from "../../testing/run-store-contract/harness.js";
import { type PostgresUnderTest, postgresForTests } from "./throwaway.test.support.js";

const { open } = postgresForTests();

const RUNS = 20;
/** Fewer than a store has connections for writing. */
const PAIRS = 3;

/** Resolves when that many statements on the schema wait for a lock. */
function countBlocked({ query, schema }: PostgresUnderTest): (count: number) => Promise<void> {
  const blocked = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%"${schema}"%'`;
  return async (count) => {
    while ((await query(blocked)).length < count);
  };
}

it("locks runs in one order, whatever order its callers have: two batches never wait for each other", async () => {
  const under = await open();
  try {
    const other = await under.reopen();
    const runs = await claimNew(under.store, "w", RUNS);
    const change = { change: { rollbackStatus: "none" }, next: { kind: "keep" } } as const;
    const appends = runs.map((run) => nextAppend(run, change)).reverse();
    const signals = runs.map(
      ({ id }) => ({ run: id, id: "one", kind: "signal", name: "s", payload: null, actor: "a" }) as const,
    );
    const untilBlocked = countBlocked(under);
    // Both have locked what comes before the run in the middle, in their order, and wait for that one.
    const middle = await under.begin();
    await middle.query(`select 1 from "${under.schema}".runs where id = $1 for update`, [runs[RUNS / 2]?.id]);
    const written = under.store.append(appends);
    await untilBlocked(1);
    const sent = other.signal(signals);
    await untilBlocked(2);
    await middle.query("commit");
    // A deadlock would end one of them with `store-unavailable`.
    expect((await written).map(({ kind }) => kind)).toEqual(runs.map(() => "appended"));
    expect(await sent).toEqual(runs.map(() => "accepted"));
  } finally {
    await under.close();
  }
});

it("locks all that a row changes and tells before it changes any: two runs may end and tell each other", async () => {
  const under = await open();
  try {
    const other = await under.reopen();
    const runs = await claimNew(under.store, "w", 2 * PAIRS);
    const pairs = runs.slice(0, PAIRS).map((run, index) => [run, runs[PAIRS + index] as RunRow] as const);
    const telling = (run: RunRow, told: RunRow): Append =>
      nextAppend(run, {
        ...{ change: { rollbackStatus: "running" }, next: { kind: "keep" } },
        signals: [{ run: told.id, id: `from ${run.id}`, kind: "child", name: "s", payload: null, actor: "a" }],
      });
    // Each would have changed its own run by the time it comes to the other one.
    const both = await under.begin();
    await both.query(`select 1 from "${under.schema}".runs for update`);
    const written = pairs.flatMap(([one, two]) => [
      under.store.append([telling(one, two)]),
      other.append([telling(two, one)]),
    ]);
    await countBlocked(under)(2 * PAIRS);
    await both.query("commit");
    expect((await Promise.all(written)).flat().map(({ kind }) => kind)).toEqual(runs.map(() => "appended"));
  } finally {
    await under.close();
  }
});
