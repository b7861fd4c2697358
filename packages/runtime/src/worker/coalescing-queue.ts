import { RuntimeError } from "../errors.js";
import type { Logger } from "../log.js";
import type { CancelTimer, Ports } from "../ports.js";

export interface CoalescingQueueOptions<Item, Result> {
  /** What is sent, for logs. */
  readonly name: string;
  /** Sends a batch; one result per item, in order. Throwing `store-unavailable` means: effect unknown, send again. */
  readonly send: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly ports: Ports;
  readonly logger: Logger;
  /** Items of one flush. Default 500. */
  readonly maxBatch?: number;
  /** Items waiting; more are refused with `overloaded`. Default 10,000. */
  readonly maxQueued?: number;
}

/** Who is told what became of an item. Many items with a promise each would cost more than what they are about. */
export interface Recipient<Item, Result> {
  /** Neither may throw. */
  written(item: Item, result: Result): void;
  failed(item: Item, error: unknown): void;
}

interface Entry<Item, Result> {
  readonly item: Item;
  readonly recipient: Recipient<Item, Result>;
}

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 2_000;

/**
 * Group commit: while one flush is in flight, everything that arrives rides in the next. An item is acknowledged only
 * after its flush was. A flush whose reply is lost is sent again as it was, for as long as the queue is open: items
 * carry ids by which the store recognizes them.
 */
export class CoalescingQueue<Item, Result> {
  readonly #options: Required<CoalescingQueueOptions<Item, Result>>;
  #waiting: Entry<Item, Result>[] = [];
  #flushing = false;
  #scheduled = false;
  #closed = false;
  #cancelRetry: CancelTimer = () => {};
  #wakeRetry: () => void = () => {};
  /** Flushes sent, for metrics. */
  flushes = 0;
  #outage: string | null = null;

  constructor(options: CoalescingQueueOptions<Item, Result>) {
    this.#options = { maxBatch: 500, maxQueued: 10_000, ...options };
  }

  push(item: Item): Promise<Result> {
    return new Promise((resolve, reject) =>
      this.send(item, { written: (_, result) => resolve(result), failed: (_, error) => reject(error) }),
    );
  }

  /** The recipient is told in a later turn, or at once when the item is refused. */
  send(item: Item, recipient: Recipient<Item, Result>): void {
    const { name, maxQueued } = this.#options;
    if (this.#closed)
      return recipient.failed(
        item,
        new RuntimeError("runtime-stopped", `expected ${name} while open, got one after close`),
      );
    if (this.#waiting.length >= maxQueued) {
      const message = `expected at most ${maxQueued} unacknowledged ${name}, got more; try again later`;
      return recipient.failed(item, new RuntimeError("overloaded", message));
    }
    this.#waiting.push({ item, recipient });
    this.#schedule();
  }

  /** Why the store takes nothing, as it said the second time in a row; null while it takes what comes. */
  get outage(): string | null {
    return this.#outage;
  }

  /** Refuses what comes and what still waits. A flush in flight is not sent again. */
  close(): void {
    this.#closed = true;
    this.#cancelRetry();
    this.#wakeRetry();
    const error = new RuntimeError(
      "runtime-stopped",
      `the runtime stopped before ${this.#options.name} could be written`,
    );
    for (const { item, recipient } of this.#waiting.splice(0)) recipient.failed(item, error);
  }

  /** The flush is put off to the end of the turn, so that all that one turn produces travels together. */
  #schedule(): void {
    if (this.#flushing || this.#scheduled || this.#waiting.length === 0) return;
    this.#scheduled = true;
    this.#options.ports.clock.soon(() => {
      this.#scheduled = false;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    if (this.#flushing || this.#waiting.length === 0) return;
    this.#flushing = true;
    const batch = this.#waiting.splice(0, this.#options.maxBatch);
    const tell = await this.#send(batch.map(({ item }) => item)).then(
      (results) => (entry: Entry<Item, Result>, index: number) =>
        entry.recipient.written(entry.item, results[index] as Result),
      (error: unknown) => (entry: Entry<Item, Result>) => entry.recipient.failed(entry.item, error),
    );
    // What the recipients send meanwhile rides in the next flush, together.
    batch.forEach(tell);
    this.#flushing = false;
    this.#schedule();
  }

  async #send(items: readonly Item[]): Promise<readonly Result[]> {
    for (let failures = 0; ; failures++) {
      try {
        this.flushes += 1;
        const results = await this.#options.send(items);
        this.#outage = null;
        return results;
      } catch (error) {
        if (!(error instanceof RuntimeError && error.code === "store-unavailable") || this.#closed) throw error;
        if (failures > 0) this.#outage = error.message;
        const delayMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures, 10), MAX_RETRY_MS);
        this.#options.logger.warn(
          { items: items.length, failures, error: error.message },
          `${this.#options.name}: the store does not answer, trying again`,
        );
        await this.#pause(delayMs * (0.5 + this.#options.ports.random.float() / 2));
        if (this.#closed) throw error;
      }
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeRetry = resolve;
      this.#cancelRetry = this.#options.ports.clock.after(delayMs, resolve);
    });
  }
}
