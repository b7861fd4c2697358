import { RuntimeError } from "../../errors.js";
import type { Append, AppendResult, StepTransaction } from "../../store/run-store.js";
import { append } from "./append.js";
import type { Database, OpenTransaction } from "./database.js";

/**
 * A step's transaction on the store's own connection, which others of this process use too: it begins when its client is
 * asked for and lasts for that turn of the event loop. A callback that returns a promise has missed its commit by then, and
 * what it did is undone.
 */
export function begin(db: Database, now: () => number): StepTransaction {
  let transaction: OpenTransaction | undefined;
  let ended = false;
  const end = (how: (open: OpenTransaction) => void): void => {
    if (transaction === undefined || ended) return;
    ended = true;
    how(transaction);
  };
  const start = (): Database => {
    if (transaction === undefined) {
      transaction = db.begin();
      // After whatever the turn still does.
      void Promise.resolve().then(() => end((open) => open.rollback()));
    }
    return within(db, () => {
      if (ended) throw late();
    });
  };
  return {
    get client() {
      return start();
    },
    check() {
      if (ended) throw late();
      return undefined;
    },
    async commit(element) {
      if (ended || transaction === undefined) throw late();
      return commit(db, element, now(), end);
    },
    async rollback() {
      end((open) => open.rollback());
    },
  };
}

function commit(
  db: Database,
  element: Append,
  now: number,
  end: (how: (open: OpenTransaction) => void) => void,
): AppendResult {
  let result: AppendResult | undefined;
  try {
    result = append(db, element, now);
    if (result.kind === "appended") end((open) => open.commit());
    return result;
  } catch (error) {
    result = undefined;
    if (!(error instanceof RuntimeError) || error.code === "store-unavailable") throw error;
    // What cannot be encoded, or a constraint that is checked at the commit.
    return { kind: "rejected", reason: error.message };
  } finally {
    if (result?.kind !== "appended") end((open) => open.rollback());
  }
}

/** The same database, whose calls throw once the transaction is over. */
function within(db: Database, check: () => void): Database {
  const checked = <Args extends unknown[], Result>(call: (...args: Args) => Result) => {
    return (...args: Args): Result => {
      check();
      return call(...args);
    };
  };
  return {
    file: db.file,
    exec: checked(db.exec),
    all: checked(db.all) as Database["all"],
    run: checked(db.run),
    transaction: checked(db.transaction) as Database["transaction"],
    begin: checked(db.begin),
    close: () => {},
  };
}

function late(): RuntimeError {
  const message =
    "expected a synchronous callback of a step's transaction on SQLite, got one that returned a promise or went on after its end; do what is asynchronous before it";
  return new RuntimeError("feature-unavailable", message);
}
