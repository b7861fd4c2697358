import { RuntimeError } from "../errors.js";
import type { Logger } from "../log.js";
import { type Ports, sleep } from "../ports.js";
import type { Lanes } from "../store/run-store.js";

export interface CoalescingQueueOptions<Item, Result> {
  /** What is sent, for logs. */
  readonly name: string;
  /** Sends a batch; one result per item, in order. Throwing `store-unavailable` means: effect unknown, send again. */
  readonly send: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly ports: Ports;
  readonly logger: Logger;
  /** Items of one flush. Default 500. */
  readonly maxBatch?: number;
  /** Flushes in flight at once. Default: one. */
  readonly lanes?: Lanes;
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

const ONE_LANE: Lanes = { count: 1, worth: 1 };
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 2_000;

/**
 * Group commit: while one flush is in flight, everything that arrives rides in the next; or in one beside it, when there are more
 * lanes and enough has come to be worth it. An item is acknowledged only after its flush was. A flush whose reply is lost is sent again as it was, for as long as the queue is open: items
 * carry ids by which the store recognizes them.
 */
export class CoalescingQueue<Item, Result> {
  readonly #options: Required<CoalescingQueueOptions<Item, Result>>;
  #waiting: Entry<Item, Result>[] = [];
  #inFlight = 0;
  #scheduled = false;
  readonly #closing = new AbortController();
  /** Flushes sent, for metrics. */
  flushes = 0;
  #outage: string | null = null;

  constructor(options: CoalescingQueueOptions<Item, Result>) {
    this.#options = { maxBatch: 500, maxQueued: 10_000, lanes: ONE_LANE, ...options };
  }

  push(item: Item): Promise<Result> {
    return new Promise((resolve, reject) =>
      this.send(item, { written: (_, result) => resolve(result), failed: (_, error) => reject(error) }),
    );
  }

  /** The recipient is told in a later turn, or at once when the item is refused. */
  send(item: Item, recipient: Recipient<Item, Result>): void {
    const { name, maxQueued } = this.#options;
    if (this.#isClosed)
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

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Refuses what comes and what still waits. A flush in flight is not sent again. */
  close(): void {
    this.#closing.abort();
    const error = new RuntimeError(
      "runtime-stopped",
      `the runtime stopped before ${this.#options.name} could be written`,
    );
    for (const { item, recipient } of this.#waiting.splice(0)) recipient.failed(item, error);
  }

  /** The flush is put off to the end of the turn, so that all that one turn produces travels together. */
  #schedule(): void {
    if (this.#scheduled || this.#shares() === 0) return;
    this.#scheduled = true;
    this.#options.ports.clock.soon(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  /** In how many flushes what waits is sent now. */
  #shares(): number {
    const { count, worth } = this.#options.lanes;
    const [waiting, free] = [this.#waiting.length, count - this.#inFlight];
    if (waiting === 0 || free <= 0) return 0;
    const worthy = Math.min(free, Math.floor(waiting / worth));
    // However little it is, it need not wait when nothing else is on its way.
    return this.#inFlight === 0 ? Math.max(1, worthy) : worthy;
  }

  #flush(): void {
    for (let shares = this.#shares(); shares > 0; shares--)
      void this.#flushShare(Math.min(this.#options.maxBatch, Math.ceil(this.#waiting.length / shares)));
  }

  async #flushShare(size: number): Promise<void> {
    this.#inFlight += 1;
    const batch = this.#waiting.splice(0, size);
    const tell = await this.#send(batch.map(({ item }) => item)).then(
      (results) => (entry: Entry<Item, Result>, index: number) =>
        entry.recipient.written(entry.item, results[index] as Result),
      (error: unknown) => (entry: Entry<Item, Result>) => entry.recipient.failed(entry.item, error),
    );
    // What the recipients send meanwhile rides in the next flush, together.
    batch.forEach(tell);
    this.#inFlight -= 1;
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
        if (!(error instanceof RuntimeError && error.code === "store-unavailable") || this.#isClosed) throw error;
        if (failures > 0) this.#outage = error.message;
        const delayMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures, 10), MAX_RETRY_MS);
        this.#options.logger.warn(
          { items: items.length, failures, error: error.message },
          `${this.#options.name}: the store does not answer, trying again`,
        );
        const { clock, random } = this.#options.ports;
        await sleep(clock, delayMs * (0.5 + random.float() / 2), this.#closing.signal);
        if (this.#isClosed) throw error;
      }
    }
  }
}
