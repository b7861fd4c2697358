import type { EventMessage } from "../broker/event-message.js";
import type { Clock } from "../ports.js";
import type { EventBatch, EventBatches, EventStore } from "../store/event-store.js";
import { HandlingAborted, isCut } from "./attempt-failure.js";
import { BatchSize } from "./batch-size.js";
import type { ConsumerCounts } from "./consumer-counts.js";

export interface BatchOptions {
  readonly batches: EventBatches;
  readonly store: Pick<EventStore, "putWithin">;
  readonly group: string;
  readonly clock: Clock;
  /** In one transaction, at most. */
  readonly most: number;
  readonly counts: Pick<ConsumerCounts, "batches" | "batchesUndone">;
}

export interface BatchedHandling {
  readonly id: string;
  readonly signal: AbortSignal;
  /** Within a transaction, for so long at most. Resolves to the events that it has published. */
  within(client: unknown, timeoutMs: number): Promise<readonly EventMessage[]>;
  /** In a transaction of its own. */
  alone(): Promise<"handled" | "duplicate">;
}

interface Waiting {
  readonly handling: BatchedHandling;
  readonly resolve: (result: "handled" | "duplicate") => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Of a batch, then it is undone: less than a store waits for a lock, so that what one handler holds while another one hangs fails nobody
 * elsewhere.
 */
const MOST_MS = 500;

/**
 * Events that wait at the same time are handled in one transaction, one after the other, and share its commit. Nothing else: when one of them
 * fails or it takes too long, all is undone and each is handled by itself, as if there had been no batch. Only that counts as an attempt.
 */
export class HandlingBatches {
  readonly #options: BatchOptions;
  readonly #size: BatchSize;
  #waiting: Waiting[] = [];
  #open = 0;
  #isStarting = false;

  constructor(options: BatchOptions) {
    this.#options = options;
    this.#size = new BatchSize(options.most);
  }

  handle(handling: BatchedHandling): Promise<"handled" | "duplicate"> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ handling, resolve, reject });
      this.#startSoon();
    });
  }

  /** How long a handler took that was called, in a batch or not. */
  took(ms: number): void {
    this.#size.took(ms);
  }

  /** After all that come in this turn. */
  #startSoon(): void {
    if (this.#isStarting) return;
    this.#isStarting = true;
    void Promise.resolve().then(() => {
      this.#isStarting = false;
      this.#start();
    });
  }

  #start(): void {
    const { atOnce } = this.#options.batches;
    while (this.#waiting.length > 0 && this.#open < atOnce) {
      const size = this.#size.of(this.#waiting.length, atOnce - this.#open);
      this.#open += 1;
      void this.#handleAll(this.#waiting.splice(0, size)).then(() => {
        this.#open -= 1;
        this.#start();
      });
    }
  }

  /** Never rejects. What is handled alone after a batch is not waited for: one that hangs is no reason to begin no other. */
  async #handleAll(all: readonly Waiting[]): Promise<void> {
    const [only] = all;
    if (all.length === 1 && only !== undefined) {
      if (await handleAlone(only)) this.#size.committed();
    } else if (!(await this.#handleTogether(all))) for (const each of all) void handleAlone(each);
  }

  /** False: nothing of it is kept. Or, as after an answer that is lost, nobody knows, and all are asked for again. */
  async #handleTogether(all: readonly Waiting[]): Promise<boolean> {
    const { batches, group, counts } = this.#options;
    let batch: EventBatch | undefined;
    try {
      batch = await batches.begin(
        group,
        all.map(({ handling }) => handling.id),
      );
      const fresh = new Set(batch.fresh);
      // Of two with one id the first is handled.
      const handled = all.map(({ handling }) => fresh.delete(handling.id));
      await this.#perform(
        batch,
        all.filter((_, index) => handled[index]),
      );
      await batch.commit();
      for (const [index, { resolve }] of all.entries()) resolve(handled[index] ? "handled" : "duplicate");
      counts.batches += 1;
      this.#size.committed();
      return true;
    } catch (error) {
      counts.batchesUndone += 1;
      this.#size.undone();
      const undone = batch?.rollback().catch(() => {});
      // As of one: who hangs holds up nobody here.
      if (!isCut(error)) await undone;
      return false;
    }
  }

  async #perform(batch: EventBatch, all: readonly Waiting[]): Promise<void> {
    const { clock, store } = this.#options;
    const until = clock.monotonic() + MOST_MS;
    const published: EventMessage[] = [];
    for (const { handling } of all) {
      if (handling.signal.aborted) throw givenUp();
      published.push(...(await handling.within(batch.client, until - clock.monotonic())));
    }
    if (published.length > 0) await store.putWithin(batch.client, published);
  }
}

/** Whether it succeeded; never rejects. */
async function handleAlone({ handling, resolve, reject }: Waiting): Promise<boolean> {
  try {
    if (handling.signal.aborted) throw givenUp();
    resolve(await handling.alone());
    return true;
  } catch (error) {
    reject(error);
    return false;
  }
}

function givenUp(): HandlingAborted {
  return new HandlingAborted("the event has gone to another process, or this one stops");
}
