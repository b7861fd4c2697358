import { expect, it } from "vitest";
import type { RunRow } from "../../store/run-store.js";
import { claimNew, nextAppend } from "../../testing/run-store-contract/harness.js";
import { postgresForTests } from "./throwaway.test.support.js";

/** What the contract asks of one row, of several in one statement: a row alone has a statement of its own. */
const { open } = postgresForTests();

it("changes no run whose row is refused, and all others of its batch", async () => {
  const under = await open();
  try {
    const [one, two] = (await claimNew(under.store, "w", 2)) as [RunRow, RunRow];
    await under.store.append([nextAppend(two)]);
    const change = { change: { rollbackStatus: "running" }, next: { kind: "keep" } } as const;
    const results = await under.store.append([
      nextAppend(one, change),
      nextAppend(two, { ...change, appendId: "of an owner before" }),
    ]);
    expect(results.map(({ kind }) => kind)).toEqual(["appended", "lease-lost"]);
    const rollbacks = await Promise.all([one, two].map(({ id }) => under.store.get(id)));
    expect(rollbacks.map((run) => run?.rollbackStatus)).toEqual(["running", "none"]);
  } finally {
    await under.close();
  }
});

it("parks of a batch those for which no message waits", async () => {
  const under = await open();
  try {
    const runs = (await claimNew(under.store, "w", 2)) as [RunRow, RunRow];
    const [told, free] = runs;
    const message = { id: "one", kind: "signal", name: "s", payload: null, actor: "a" } as const;
    await under.store.signal([{ ...message, run: told.id }]);
    const parking = { change: { status: "waiting" }, next: { kind: "park", delayMs: null } } as const;
    const results = await under.store.append(runs.map((run) => nextAppend(run, parking)));
    expect(results).toMatchObject([{ parked: false }, { parked: true }]);
    const owners = await Promise.all([told, free].map(({ id }) => under.store.get(id)));
    expect(owners.map((run) => run?.owner)).toEqual(["w", null]);
  } finally {
    await under.close();
  }
});
