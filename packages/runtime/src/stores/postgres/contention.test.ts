import { expect, it } from "vitest";
import { claimNew, nextAppend } from "../../testing/run-store-contract/harness.js";
import { postgresForTests } from "./throwaway.test.support.js";

const { open } = postgresForTests();

const RUNS = 20;

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
    const isBlocked = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%"${under.schema}"%'`;
    const untilBlocked = async (count: number): Promise<void> => {
      while ((await under.query(isBlocked)).length < count);
    };
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
