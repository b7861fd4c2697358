import type { Append, AppendResult, RunRow } from "../store/run-store.js";
import type { Recipient } from "./coalescing-queue.js";
import { NO_SNAPSHOTS, type SentSnapshots } from "./snapshot-requests.js";
import type { StepTransactions } from "./step-transactions.js";
import type { WorkerEnvironment } from "./worker-environment.js";

/** Whose rows they are. It hears of each, unless it has left. */
export interface RowOwner {
  readonly run: RunRow;
  acknowledged(append: Append, result: AppendResult): void;
  /** Nobody knows whether the row is there, or its acknowledgement could not be taken. */
  lost(error: unknown): void;
}

/** One run's rows on their way to the store: one at a time, in a step's own transaction when one waits for it, else with others. */
export class RowSender implements Recipient<Append, AppendResult> {
  readonly #owner: RowOwner;
  readonly #env: WorkerEnvironment;
  readonly #transactions: StepTransactions;
  /** Those that ride in the row under way. */
  #snapshots: SentSnapshots = NO_SNAPSHOTS;
  #inDoubt = false;
  #left = false;

  constructor(owner: RowOwner, env: WorkerEnvironment, transactions: StepTransactions) {
    this.#owner = owner;
    this.#env = env;
    this.#transactions = transactions;
  }

  /** A row is on its way, and nobody knows yet what becomes of it. */
  get isInDoubt(): boolean {
    return this.#inDoubt;
  }

  send(append: Append, snapshots: SentSnapshots): void {
    this.#inDoubt = true;
    this.#snapshots = snapshots;
    const transacted = this.#transactions.write(append);
    if (transacted === null) return this.#env.append(append, this);
    transacted.then(
      (result) => this.written(append, result),
      (error: unknown) => this.failed(append, error),
    );
  }

  /** The owner leaves whatever becomes of the row. */
  sendLast(append: Append, leave: () => void): void {
    const settled = (): void => {
      if (this.#settle()) leave();
    };
    this.#inDoubt = true;
    this.#env.append(append, { written: settled, failed: settled });
  }

  /** The owner hears no more; a row under way goes on, and its snapshots are answered. */
  leave(): void {
    this.#left = true;
  }

  written(append: Append, result: AppendResult): void {
    try {
      this.#takeSnapshots().answered(result);
      if (this.#settle()) this.#owner.acknowledged(append, result);
    } catch (error) {
      this.failed(append, error);
    }
  }

  failed(_append: Append, error: unknown): void {
    this.#takeSnapshots().failed(error);
    if (this.#settle()) this.#owner.lost(error);
  }

  /** What became of the row is known. False: the owner has left. */
  #settle(): boolean {
    this.#inDoubt = false;
    if (this.#left) this.#env.settled(this.#owner.run.id);
    return !this.#left;
  }

  #takeSnapshots(): SentSnapshots {
    const sent = this.#snapshots;
    this.#snapshots = NO_SNAPSHOTS;
    return sent;
  }
}
