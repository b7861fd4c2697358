import { RuntimeError } from "../../errors.js";
import type { Database, OpenTransaction } from "./database.js";

/**
 * A transaction on the store's own connection, which others of this process use too: it begins when its client is asked for and
 * lasts for that turn of the event loop. What is not committed by then is undone.
 */
export class TurnTransaction {
  readonly #db: Database;
  /** Whose it is, for the message. */
  readonly #what: string;
  #open: OpenTransaction | undefined;
  #ended = false;

  constructor(db: Database, what: string) {
    this.#db = db;
    this.#what = what;
  }

  /** The database, whose calls throw once the transaction is over. */
  get client(): Database {
    if (this.#open === undefined && !this.#ended) {
      this.#open = this.#db.begin();
      // After whatever the turn still does.
      void Promise.resolve().then(() => this.rollback());
    }
    return this.#within();
  }

  /** Its client was asked for. */
  get isBegun(): boolean {
    return this.#open !== undefined;
  }

  /** Error: `feature-unavailable` when it is over. */
  check(): void {
    if (!this.#ended) return;
    const message = `expected a synchronous callback of ${this.#what}'s transaction on SQLite, got one that returned a promise or went on after its end; do what is asynchronous before it`;
    throw new RuntimeError("feature-unavailable", message);
  }

  commit(): void {
    this.check();
    this.#ended = true;
    this.#open?.commit();
  }

  /** Harmless after the end. */
  rollback(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#open?.rollback();
  }

  #within(): Database {
    const db = this.#db;
    const checked = <Args extends unknown[], Result>(call: (...args: Args) => Result) => {
      return (...args: Args): Result => {
        this.check();
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
      briefly: checked(db.briefly) as Database["briefly"],
      close: () => {},
    };
  }
}
