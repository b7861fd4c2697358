import { RuntimeError } from "../errors.js";
import { type Json, toJson } from "../json.js";
import type { TransactionRunner } from "../saga/definition.js";
import type { Append, AppendResult, StepTransaction } from "../store/run-store.js";
import type { Attempt } from "./attempt.js";
import type { AttemptAbort } from "./attempt-abort.js";
import { guardClient } from "./guarded-client.js";

export interface StepTransactionsOptions {
  /** Null: the store has no database to offer. */
  readonly begin: (() => Promise<StepTransaction>) | null;
  /** Nothing of the run is being written now. */
  readonly isIdle: () => boolean;
  /** The lane is free again. Decides at once on a row, if there is something to write, and hands it to `write`. */
  readonly advance: () => void;
  /** The attempt completed: takes it in. False: it is no longer under way. */
  readonly complete: (attempt: Attempt, abort: AttemptAbort, output: Json) => boolean;
}

interface Ready {
  readonly transaction: StepTransaction;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The transactions of one run's steps, one after the other. From before a transaction begins until its row is
 * written nothing else of the run is: an open transaction then never waits for an append, which may itself be waiting for a
 * connection. The row that says `completed` is the transaction's last statement, so both are there or neither.
 */
export class StepTransactions {
  readonly #options: StepTransactionsOptions;
  readonly #waiting: (() => void)[] = [];
  /** Whose transaction holds the lane. */
  #holder: string | null = null;
  /** It waits for the row that it commits. */
  #ready: Ready | null = null;
  #closed = false;

  constructor(options: StepTransactionsOptions) {
    this.#options = options;
  }

  /** True: no row may be written now, for a transaction holds the lane, or has just been given it. */
  takesLane(): boolean {
    if (this.#ready !== null) return false;
    if (this.#holder === null) this.#waiting.shift()?.();
    return this.#holder !== null;
  }

  /** True: the row decided on now is a transaction's. It waits for nothing, expressions of later steps included. */
  get isCommitting(): boolean {
    return this.#ready !== null;
  }

  /** Whether this step's own transaction is open: then it cannot wait for another row. */
  isHeldBy(step: string): boolean {
    return this.#holder === step;
  }

  /** Null: no transaction waits for the row. `store-unavailable`: nobody knows whether it is there. */
  write(append: Append): Promise<AppendResult> | null {
    const ready = this.#ready;
    if (ready === null) return null;
    this.#ready = null;
    const written = ready.transaction.commit(append).catch((error: unknown): AppendResult => {
      if (error instanceof RuntimeError && error.code === "store-unavailable") throw error;
      return { kind: "rejected", reason: String(error).slice(0, 500) };
    });
    written.then(ready.resolve, ready.reject);
    return written;
  }

  /** No row comes; nothing happens when there was one. */
  fail(error: unknown): void {
    const ready = this.#ready;
    this.#ready = null;
    if (ready === null) return;
    ready.transaction.rollback().catch(() => {});
    ready.reject(error);
  }

  /** The run leaves this instance; its attempts have been cut short. */
  close(): void {
    this.#closed = true;
    for (const enter of this.#waiting.splice(0)) enter();
  }

  /** What one attempt is handed. */
  of(attempt: Attempt, abort: AttemptAbort): TransactionRunner {
    let used = false;
    return async (callback) => {
      const { begin } = this.#options;
      if (used) throw misused("expected one transaction in an attempt, got another; do all of it in one callback");
      used = true;
      if (begin === null)
        throw new RuntimeError(
          "feature-unavailable",
          "expected a run store with a database of its own, such as postgres or sqlite, got one without transactions",
        );
      await this.#enter(attempt.step);
      return this.#perform(begin, attempt, abort, callback);
    };
  }

  async #perform<Output, Client>(
    begin: () => Promise<StepTransaction>,
    attempt: Attempt,
    abort: AttemptAbort,
    callback: (client: Client) => Output | Promise<Output>,
  ): Promise<Output> {
    let transaction: StepTransaction | undefined;
    let value: Output;
    let output: Json;
    try {
      transaction = await this.#begin(begin, abort);
      const guarded = guardClient(transaction.client);
      try {
        // The type of the store's client is known to who chose the store, and said by the callback.
        const returned = callback(guarded.client as Client);
        // Nothing is awaited that need not be: a database whose calls are synchronous has the row in this turn, or not at all.
        value = returned instanceof Promise ? await unlessCut(returned, abort) : returned;
        output = toJson(value, `the output of step "${attempt.step}"`);
        const checked = transaction.check();
        if (checked instanceof Promise) await unlessCut(checked, abort);
      } finally {
        guarded.end();
      }
    } catch (error) {
      await transaction?.rollback().catch(() => {});
      this.#leave();
      throw error;
    }
    const result = await this.#commit(transaction, attempt, abort, output);
    if (result.kind === "appended") return value;
    if (result.kind === "lease-lost") throw lost("another instance owns the run now");
    throw new RuntimeError("input-invalid", `expected a row that the store takes, got: ${result.reason}`);
  }

  /** One that comes when nobody waits for it any more is given back. */
  async #begin(begin: () => Promise<StepTransaction>, abort: AttemptAbort): Promise<StepTransaction> {
    if (this.#closed || abort.signal.aborted) throw lost(String(abort.signal.reason));
    const beginning = begin();
    try {
      return await unlessCut(beginning, abort);
    } catch (error) {
      beginning.then((transaction) => transaction.rollback()).catch(() => {});
      throw error;
    }
  }

  #commit(transaction: StepTransaction, attempt: Attempt, abort: AttemptAbort, output: Json): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      this.#ready = { transaction, resolve, reject };
      this.#holder = null;
      if (this.#options.complete(attempt, abort, output)) {
        // What the handler still does is no part of the attempt.
        abort.onSettled();
        this.#options.advance();
      }
      if (this.#ready === null) return;
      // Cut short between the callback's last word and now.
      this.fail(lost(String(abort.signal.reason)));
      this.#options.advance();
    });
  }

  async #enter(step: string): Promise<void> {
    if (this.#holder === null && this.#waiting.length === 0 && this.#options.isIdle()) {
      this.#holder = step;
      return;
    }
    await new Promise<void>((resolve) => {
      this.#waiting.push(() => {
        this.#holder = step;
        resolve();
      });
    });
  }

  #leave(): void {
    this.#holder = null;
    this.#options.advance();
  }
}

/** Rejects when the attempt is cut short, whatever the promise does then. */
function unlessCut<Value>(promise: Promise<Value>, abort: AttemptAbort): Promise<Value> {
  const { signal } = abort;
  return new Promise((resolve, reject) => {
    const cut = (): void => reject(lost(String(signal.reason)));
    if (signal.aborted) cut();
    signal.addEventListener("abort", cut, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", cut));
  });
}

function lost(reason: string): RuntimeError {
  return new RuntimeError(
    "lease-lost",
    `expected to own the run and the attempt until its transaction commits, got: ${reason}; it was rolled back`,
  );
}

function misused(message: string): RuntimeError {
  return new RuntimeError("definition-invalid", message);
}
