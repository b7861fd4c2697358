import type { RunStore, StepTransaction } from "../../store/run-store.js";

/** A simulated store has transactions. */
export function beginOn(store: RunStore): Promise<StepTransaction> {
  if (store.begin === undefined) throw new Error("expected a store with transactions");
  return store.begin();
}
