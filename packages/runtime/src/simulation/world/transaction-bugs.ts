import { RuntimeError } from "../../errors.js";
import type { Append, AppendResult, RunStore, StepTransaction } from "../../store/run-store.js";
import type { MemoryClient } from "../../stores/memory/index.js";
import { beginOn } from "./begin-on.js";
import type { Planted } from "./planted.js";

/** Bugs around steps' transactions, in a store or in who calls it. */
export const transactionBugs: Readonly<Record<string, () => Planted>> = {
  "a transaction is acknowledged though another owner has the run": () => ({
    server: (store) =>
      withCommit(store, async ({ commit }, append) => {
        const result = await commit(append);
        return result.kind === "lease-lost" ? { kind: "appended", at: 0, parked: false } : result;
      }),
  }),
  "a transaction's effect stays when its row is refused": () => ({
    server: (store, world) =>
      withCommit(withEffects(store), async ({ commit, effects }, append) => {
        const result = await commit(append);
        if (result.kind === "lease-lost") for (const [key, value] of effects) world.values.set(key, value);
        return result;
      }),
  }),
  "a transaction's effect is there before its row": () => ({
    server: (store, world) => withEffects(store, (key, value) => world.values.set(key, value)),
  }),
  "a transaction's row is written without its effect": () => ({
    server: (store) =>
      withCommit(store, async (transaction, append) => {
        await transaction.rollback();
        const [result] = await store.append([append]);
        if (result === undefined) throw new RuntimeError("store-unavailable", "simulated: no answer");
        return result;
      }),
  }),
  "a commit whose reply was lost counts as done": () => ({
    store: (store) =>
      withCommit(store, ({ commit }, append) =>
        commit(append).catch(() => ({ kind: "appended", at: 0, parked: false }) as const),
      ),
  }),
  "a commit whose reply was lost is done again as a row alone": () => ({
    store: (store) =>
      withCommit(store, ({ commit }, append) =>
        commit(append).catch(async () => (await store.append([append]))[0] ?? ({ kind: "lease-lost" } as const)),
      ),
  }),
};

interface Watched extends StepTransaction {
  /** What was written so far. */
  readonly effects: ReadonlyMap<string, string>;
}

function withCommit(
  store: RunStore,
  commit: (transaction: Watched, append: Append) => Promise<AppendResult>,
): RunStore {
  return {
    ...store,
    begin: async () => {
      const transaction = await beginOn(store);
      const effects =
        "effects" in transaction ? (transaction.effects as Watched["effects"]) : new Map<string, string>();
      return { ...transaction, commit: (append) => commit({ ...transaction, effects }, append) };
    },
  };
}

/** Transactions that remember what is written in them, and tell. */
function withEffects(store: RunStore, onSet: (key: string, value: string) => void = () => {}): RunStore {
  return {
    ...store,
    begin: async () => {
      const transaction = await beginOn(store);
      const effects = new Map<string, string>();
      const client = transaction.client as MemoryClient;
      const set: MemoryClient["set"] = (key, value) => {
        client.set(key, value);
        effects.set(key, JSON.stringify(value));
        onSet(key, JSON.stringify(value));
      };
      return { ...transaction, effects, client: { ...client, set } };
    },
  };
}
