import { expect } from "vitest";
import { RuntimeError } from "../errors.js";
import type { SagaManager } from "../saga/manager.js";
import type { RunStore, StepTransaction } from "../store/run-store.js";

/** What each row of a run's journal holds, as text. */
export async function rowsOf(manager: SagaManager, id: string): Promise<string[]> {
  const rows = await manager.journal(id);
  return rows.map(({ records }) =>
    records.map((record) => `${record.kind}${"step" in record ? ` ${record.step}` : ""}`).join(", "),
  );
}

/** A store whose transactions' commits go as `commit` says. */
export function committing(
  store: RunStore,
  commit: (transaction: StepTransaction, nth: number) => StepTransaction["commit"],
): RunStore {
  let commits = 0;
  return {
    ...store,
    begin: async () => {
      const transaction = await (store.begin?.() ?? expect.fail("expected a store with transactions"));
      // Not a copy: its client is made when it is asked for.
      return Object.create(transaction, {
        commit: { value: (append: Parameters<StepTransaction["commit"]>[0]) => commit(transaction, ++commits)(append) },
      }) as StepTransaction;
    },
  };
}

export const unavailable = (): RuntimeError => new RuntimeError("store-unavailable", "the reply is lost");
