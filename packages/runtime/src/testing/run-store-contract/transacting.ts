import { describe, expect } from "vitest";
import type { Append, AppendResult, RunStore } from "../../store/run-store.js";
import {
  activate,
  appendOne,
  type ContractBench,
  type ContractTest,
  claimAll,
  claimOne,
  current,
  type EffectsUnderTest,
  everythingOf,
  LEASE_MS,
  newSignal,
  nextAppend,
  RECORD,
} from "./harness.js";

type Transacting = ContractBench & { readonly effects: EffectsUnderTest };

export function transacting(test: ContractTest): void {
  const offered = (title: string, body: (under: Transacting) => Promise<void>): void =>
    test(title, async (under) => {
      // A store without a database of its own offers no transactions, and then has nothing to show.
      if (under.effects === undefined) expect(under.store.begin).toBeUndefined();
      else await body({ ...under, effects: under.effects });
    });

  describe("begin", () => {
    offered("commits the effect, the row and what belongs to it together", async ({ store, effects, near }) => {
      const run = await claimOne(store, "w");
      await store.signal([newSignal(run.id, "s")]);
      const append = nextAppend(run, {
        consumed: ["s"],
        change: { status: "completed", output: { total: 1 } },
        checkpoint: { n: 1, context: { a: 1 }, keep: 3 },
        next: { kind: "finish" },
      });
      const at = near(await store.now());
      expect(await transact(store, effects, "paid", append)).toMatchObject({ kind: "appended", at, parked: false });
      expect(await effects.committed()).toEqual(["paid"]);
      expect(await current(store, run.id)).toMatchObject({ status: "completed", output: { total: 1 }, seq: 1 });
      expect(await store.journal(run.id)).toMatchObject([{ seq: 1, records: [RECORD], appendId: append.appendId }]);
      expect(await store.checkpoints(run.id)).toMatchObject([{ n: 1, context: { a: 1 } }]);
    });

    offered("leaves nothing of what is rolled back, whatever is called afterwards", async ({ store, effects }) => {
      const run = await claimOne(store, "w");
      const before = await everythingOf(store, run.id);
      const transaction = await begin(store);
      const writing = effects.write(transaction.client, "paid");
      if (writing instanceof Promise) await writing;
      await transaction.rollback();
      await transaction.rollback();
      expect(await effects.committed()).toEqual([]);
      expect(await everythingOf(store, run.id)).toEqual(before);
      expect(await appendOne(store, nextAppend(run))).toMatchObject({ kind: "appended" });
    });

    offered("takes the effect back with a row that an older owner wrote", async (under) => {
      const { store, effects, advance } = under;
      const run = await claimOne(store, "old");
      await advance(LEASE_MS + 1);
      await activate(store, "new");
      const [taken] = await claimAll(store, "new");
      const before = await everythingOf(store, run.id);
      expect(await transact(store, effects, "late", nextAppend(run))).toEqual({ kind: "lease-lost" });
      expect(await effects.committed()).toEqual([]);
      expect(await everythingOf(store, run.id)).toEqual(before);
      const append = nextAppend(taken?.run ?? expect.fail());
      expect(await transact(store, effects, "by the new one", append)).toMatchObject({ kind: "appended" });
      expect(await effects.committed()).toEqual(["by the new one"]);
    });

    offered("takes the effect back with a row whose place is taken", async ({ store, effects }) => {
      const run = await claimOne(store, "w");
      await appendOne(store, nextAppend(run));
      const second = nextAppend(run, { appendId: "another" });
      expect(await transact(store, effects, "twice", second)).toEqual({ kind: "lease-lost" });
      expect(await effects.committed()).toEqual([]);
    });

    offered("takes the effect back with a row that cannot be stored", async ({ store, effects }) => {
      const run = await claimOne(store, "w");
      const poison = nextAppend(run, { change: { output: "a\0b" } });
      expect(await transact(store, effects, "poisoned", poison)).toMatchObject({ kind: "rejected" });
      expect(await effects.committed()).toEqual([]);
      expect(await appendOne(store, nextAppend(run))).toMatchObject({ kind: "appended" });
    });

    offered("does not commit to a run that has ended, or was never there", async ({ store, effects }) => {
      const run = await claimOne(store, "w");
      await appendOne(store, nextAppend(run, { change: { status: "completed" }, next: { kind: "finish" } }));
      const after = nextAppend({ ...run, seq: 1 });
      expect(await transact(store, effects, "after the end", after)).toEqual({ kind: "lease-lost" });
      const unknown = nextAppend({ id: "01890000-0000-7000-8000-00000000ffff", fence: 1, seq: 0 });
      expect(await transact(store, effects, "nowhere", unknown)).toEqual({ kind: "lease-lost" });
      expect(await effects.committed()).toEqual([]);
    });
  });
}

function begin(store: RunStore) {
  return store.begin?.() ?? expect.fail("expected the store to begin a transaction");
}

/** In one turn where nothing has to be awaited: a synchronous database lets a transaction live no longer. */
async function transact(
  store: RunStore,
  effects: EffectsUnderTest,
  name: string,
  append: Append,
): Promise<AppendResult> {
  const transaction = await begin(store);
  const writing = effects.write(transaction.client, name);
  if (writing instanceof Promise) await writing;
  const checking = transaction.check();
  if (checking instanceof Promise) await checking;
  return transaction.commit(append);
}
