import { RuntimeError } from "../../errors.js";
import type { Append, AppendResult, StepTransaction } from "../../store/run-store.js";
import { append } from "./append.js";
import type { Database } from "./database.js";
import { TurnTransaction } from "./turn-transaction.js";

/** A step's transaction. A callback that returns a promise has missed its commit by the end of the turn, and what it did is undone. */
export function begin(db: Database, now: () => number, appended: (element: Append) => void): StepTransaction {
  const transaction = new TurnTransaction(db, "a step");
  return {
    get client() {
      return transaction.client;
    },
    check() {
      transaction.check();
      return undefined;
    },
    async commit(element) {
      transaction.check();
      // Within it, also when the step has not asked for its client.
      const result = commit(transaction.client, element, now(), transaction);
      if (result.kind === "appended") appended(element);
      return result;
    },
    async rollback() {
      transaction.rollback();
    },
  };
}

function commit(db: Database, element: Append, now: number, transaction: TurnTransaction): AppendResult {
  try {
    const result = append(db, element, now);
    if (result.kind === "appended") transaction.commit();
    return result;
  } catch (error) {
    if (!(error instanceof RuntimeError) || error.code === "store-unavailable") throw error;
    // What cannot be encoded, or a constraint that is checked at the commit.
    return { kind: "rejected", reason: error.message };
  } finally {
    transaction.rollback();
  }
}
