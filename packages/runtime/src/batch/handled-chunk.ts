import type { Failure } from "../engine/records.js";
import { BusinessRefusal, RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import type { ChunkCall, ChunkHandler } from "../saga/definition.js";
import type { BatchStore, ChunkTransaction, FailedItem, KeyedItem, TakenChunk } from "../store/batch-store.js";
import type { AttemptAbort } from "../worker/attempt-abort.js";
import { guardClient } from "../worker/guarded-client.js";
import { type AttemptBound, Cut } from "./attempt-bound.js";
import type { ActPlan } from "./batch-plan.js";
import { type AfterFailure, afterFailure, failureOf, type ItemInHand } from "./item-attempt.js";
import { itemStage } from "./item-key-path.js";

export interface HandledChunkOptions {
  readonly chunk: TakenChunk;
  readonly items: readonly KeyedItem[];
  readonly handler: ChunkHandler;
  readonly plan: ActPlan;
  readonly bound: AttemptBound;
  readonly run: { readonly id: string; readonly input: Json };
  readonly store: Pick<BatchStore, "begin">;
  readonly random: () => number;
  /** Of the chunk's items, those that the source no longer has. */
  readonly missing: number;
}

/** `committed`: the handler's transaction settled the chunk. `left`: it is no longer ours, or nobody knows. `failed`: the others are done. */
export type ChunkEnd =
  | "committed"
  | "left"
  | { readonly retryMs: number }
  | { readonly failedAll: Failure }
  | { readonly failed: readonly FailedItem[] };

/** What became of the transaction of an attempt. */
type Transacted = "none" | "open" | "committed" | "left";

/** A function in this process, called for all items of a chunk together. */
export class HandledChunk {
  readonly #options: HandledChunkOptions;
  readonly #keys: ReadonlyMap<string, KeyedItem>;
  readonly #hand: ItemInHand;

  constructor(options: HandledChunkOptions) {
    this.#options = options;
    this.#keys = new Map(options.items.map((item) => [item.key, item]));
    this.#hand = { key: `chunk ${options.chunk.n}`, item: null, attempts: 0, failures: 0, dueAt: 0 };
  }

  get attempts(): number {
    return this.#hand.attempts;
  }

  async attempt(): Promise<ChunkEnd> {
    const { handler, bound, plan } = this.#options;
    const abort = bound.begin();
    this.#hand.attempts += 1;
    const attempt = new ChunkAttempt(this.#options, this.#keys, this.#hand.attempts, abort);
    try {
      const answered = (async () => handler(attempt.call))();
      const value = await bound.wait(answered, abort, plan.timeoutMs);
      if (attempt.transacted === "committed" || attempt.transacted === "left") return attempt.transacted;
      if (!(value instanceof Cut)) return { failed: attempt.failed };
      const message = `chunk ${this.#options.chunk.n} was cut short: ${value.reason}`;
      return this.#after({ code: "timeout", message });
    } catch (error) {
      // What it throws after its transaction changes nothing.
      if (attempt.transacted === "committed" || attempt.transacted === "left") return attempt.transacted;
      const { error: failure, isRefusal } = failureOf(error);
      return isRefusal ? { failedAll: failure } : this.#after(failure);
    } finally {
      attempt.close();
      bound.end();
    }
  }

  #after(error: Failure): ChunkEnd {
    const after: AfterFailure = afterFailure(this.#hand, error, this.#options.plan.retry, this.#options.random);
    return "retryMs" in after ? after : { failedAll: after.failed };
  }
}

class ChunkAttempt {
  readonly call: ChunkCall;
  transacted: Transacted = "none";
  readonly #options: HandledChunkOptions;
  readonly #keys: ReadonlyMap<string, KeyedItem>;
  readonly #failed = new Map<string, FailedItem>();
  readonly #attempt: number;
  readonly #abort: AttemptAbort;
  #isClosed = false;

  constructor(
    options: HandledChunkOptions,
    keys: ReadonlyMap<string, KeyedItem>,
    attempt: number,
    abort: AttemptAbort,
  ) {
    this.#options = options;
    this.#keys = keys;
    this.#attempt = attempt;
    this.#abort = abort;
    const { items, run } = options;
    this.call = {
      ...{ items, runId: run.id, input: run.input, attempt },
      get signal() {
        return abort.signal;
      },
      idempotencyKey: (key) => `${run.id}:${itemStage(key, "chunk")}`,
      fail: (key, error) => this.#fail(key, error),
      transaction: (callback) => this.#transact(callback as (client: unknown) => unknown) as Promise<never>,
    };
  }

  get failed(): readonly FailedItem[] {
    return [...this.#failed.values()];
  }

  /** The attempt is over: its handler, if it goes on, does nothing here any more. */
  close(): void {
    this.#isClosed = true;
  }

  #fail(key: string, error: Error | { readonly code: string; readonly message: string }): void {
    const item = this.#keys.get(key);
    if (item === undefined)
      throw new RuntimeError("input-invalid", `expected the key of an item of the chunk, got ${JSON.stringify(key)}`);
    if (this.#isClosed || this.transacted === "committed") return;
    const isNamed = error instanceof BusinessRefusal || !(error instanceof Error);
    const failure = isNamed ? { code: error.code, message: error.message.slice(0, 500) } : failureOf(error).error;
    this.#failed.set(key, { key, item: item.item, attempts: this.#attempt, error: failure });
  }

  async #transact(callback: (client: unknown) => unknown): Promise<unknown> {
    const { store, chunk } = this.#options;
    if (this.transacted !== "none")
      throw new RuntimeError(
        "definition-invalid",
        "expected one transaction in an attempt at a chunk, got another; do all of it in one callback",
      );
    if (store.begin === undefined)
      throw new RuntimeError(
        "feature-unavailable",
        "expected a run store with a database of its own, such as postgres or sqlite, got one without transactions",
      );
    this.#checkOwned();
    this.transacted = "open";
    const transaction = await store.begin(chunk);
    const value = await this.#perform(transaction, callback);
    const { n, fence } = chunk;
    const failed = this.failed;
    const done = this.#keys.size - failed.length;
    try {
      const result = await transaction.commit({ n, fence, done, skipped: this.#options.missing, failed });
      this.transacted = result === "settled" ? "committed" : "left";
    } catch (error) {
      // Whether it committed nobody knows: the store does, and gives the chunk again if it did not.
      this.transacted = "left";
      throw error;
    }
    if (this.transacted === "left") throw lost("another instance owns the chunk now");
    return value;
  }

  async #perform(transaction: ChunkTransaction, callback: (client: unknown) => unknown): Promise<unknown> {
    const guarded = guardClient(transaction.client);
    try {
      this.#checkOwned();
      const returned = callback(guarded.client);
      // A database whose calls are synchronous is not waited for.
      const value = returned instanceof Promise ? await this.#unlessCut(returned) : returned;
      this.#checkOwned();
      return value;
    } catch (error) {
      await transaction.rollback().catch(() => {});
      throw error;
    } finally {
      guarded.end();
    }
  }

  #unlessCut(returned: Promise<unknown>): Promise<unknown> {
    const { signal } = this.#abort;
    return new Promise((resolve, reject) => {
      const cut = (): void => reject(lost(String(signal.reason)));
      if (signal.aborted) cut();
      signal.addEventListener("abort", cut, { once: true });
      returned.then(resolve, reject).finally(() => signal.removeEventListener("abort", cut));
    });
  }

  #checkOwned(): void {
    if (this.#isClosed || this.#abort.signal.aborted) throw lost(String(this.#abort.signal.reason ?? "it was over"));
  }
}

function lost(reason: string): RuntimeError {
  return new RuntimeError(
    "lease-lost",
    `expected to own the chunk and the attempt until its transaction commits, got: ${reason}; it was rolled back`,
  );
}
