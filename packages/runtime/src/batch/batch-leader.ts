import type { Json } from "../json.js";
import { sleep } from "../ports.js";
import type { BatchLead, ChunkSpan, KeyedItem } from "../store/batch-store.js";
import type { BatchEnvironment } from "./batch-environment.js";
import type { BatchPlan } from "./batch-plan.js";
import { type SourceReader, SourceFailed } from "./source-reader.js";
import { untilAnswered } from "./store-calls.js";

export interface BatchLeaderOptions {
  readonly env: BatchEnvironment;
  readonly plan: BatchPlan;
  readonly run: string;
  readonly reader: SourceReader;
  /** The worker's id when it began to lead. */
  readonly worker: string;
  /** Chunks that were settled here, so far. */
  readonly settled: () => number;
  /** Planted, and free for whoever takes them; with their items, if they fit into what is remembered. */
  readonly onPlanted: (first: number, chunks: readonly (readonly KeyedItem[])[]) => void;
  /** It has halted: its run is to be told. */
  readonly onHalted: () => void;
}

/** Chunks planted in one write. */
const MOST_PLANTED = 64;
/** Items read ahead of the work, as long as there are few chunks of them. */
const ITEMS_AHEAD = 20_000;
const MOST_AHEAD = 1_024;
/** Of items that the store keeps. */
const BYTES_AHEAD = 16 * 1_048_576;
const BYTES_PLANTED = 1_048_576;
/** Reading that takes longer than this does not hold back what is read already. */
const PLANT_AFTER_MS = 20;
/** How often the store is asked how much is left, when others settle it. */
const LOOK_MS = 100;

/**
 * Reads the source ahead of the work and plants what it finds as chunks: never more than a window, whatever the source has. Ends at the end
 * of the source, when somebody else leads, when the batch does not go on, and when it is left.
 */
export class BatchLeader {
  readonly #options: BatchLeaderOptions;
  readonly #left = new AbortController();
  /** Chunks planted here, and those that were there; those that others settled are found out when there is no room. */
  #planted = 0;
  #wake: () => void = () => {};
  /** Of chunks whose items are kept. */
  #keptBytes = 0;
  #keptChunks = 0;
  #window: number;

  constructor(options: BatchLeaderOptions) {
    this.#options = options;
    const { chunkSize, concurrency } = options.plan.step;
    this.#window = Math.min(MOST_AHEAD, Math.max(4, 2 * concurrency, Math.ceil(ITEMS_AHEAD / chunkSize)));
  }

  /** Some chunk is settled: there may be room. */
  settledSome(): void {
    this.#wake();
  }

  leave(): void {
    this.#left.abort("this instance no longer leads the batch");
    this.#wake();
  }

  async lead(): Promise<void> {
    const { env, run, worker } = this.#options;
    const mayGoOn = (): boolean => !this.#left.signal.aborted && env.trusted() && env.workerId() === worker;
    const persist = <Value>(call: () => Promise<Value>): Promise<Value> =>
      untilAnswered(call, { ports: env.ports, logger: env.logger, what: "planting chunks", mayGoOn });
    const lead = await persist(() => env.store.lead(run, worker));
    if (lead === null) return;
    try {
      await this.#plantAll(lead, mayGoOn, persist);
    } catch (error) {
      if (!(error instanceof SourceFailed)) throw error;
      env.logger.error({ run, error: error.message }, "the batch halts: its source cannot be read");
      if (await persist(() => env.store.halt(run, lead.fence, error.failure))) this.#options.onHalted();
    }
  }

  async #plantAll(
    lead: BatchLead,
    mayGoOn: () => boolean,
    persist: <Value>(call: () => Promise<Value>) => Promise<Value>,
  ): Promise<void> {
    const { env, run, worker, reader } = this.#options;
    const isKept = await this.#isKept();
    const before = this.#options.settled();
    this.#planted = before + ((await persist(() => env.store.get(run)))?.openChunks ?? 0);
    let { cursor, next: first } = lead;
    let isCounted = lead.cursor !== null;
    while (mayGoOn()) {
      const room = await this.#room(mayGoOn);
      if (room === 0) return;
      const read = await this.#readSome(cursor, room, isKept);
      if (read === null) return;
      const total = isCounted ? undefined : await reader.total(this.#left.signal);
      isCounted = true;
      const { spans, items, next } = read;
      const request = {
        ...{ run, worker, fence: lead.fence, first, chunks: spans, cursor: next ?? read.last, isEnd: next === null, take: 0 },
        ...(total !== undefined && { total }),
      };
      const { kind } = await persist(() => env.store.plant(request));
      if (kind !== "planted") return;
      this.#planted += spans.length;
      this.#options.onPlanted(first, isKept ? [] : items);
      first += spans.length;
      if (next === null) return;
      cursor = next;
    }
  }

  async #isKept(): Promise<boolean> {
    try {
      return await this.#options.reader.isKept();
    } catch {
      // It says so again, by policy, when it is read.
      return false;
    }
  }

  /** Chunks that may be planted now; waits until there are some. 0: it was left. */
  async #room(mayGoOn: () => boolean): Promise<number> {
    const { env, run } = this.#options;
    for (;;) {
      if (!mayGoOn()) return 0;
      const room = this.#windowNow() - this.#planted + this.#options.settled();
      // Not for each chunk a write of its own.
      if (room >= Math.min(MOST_PLANTED, Math.ceil(this.#window / 4))) return Math.min(room, MOST_PLANTED);
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      await sleep(env.ports.clock, LOOK_MS, woken.signal);
      if (woken.signal.aborted) continue;
      const before = this.#options.settled();
      const open = (await env.store.get(run).catch(() => undefined))?.openChunks;
      if (open !== undefined) this.#planted = open + before;
      if (open === 0) return 1;
    }
  }

  #windowNow(): number {
    if (this.#keptChunks === 0) return this.#window;
    return Math.max(2, Math.min(this.#window, Math.floor(BYTES_AHEAD / (this.#keptBytes / this.#keptChunks))));
  }

  async #readSome(after: Json, most: number, isKept: boolean) {
    const { env, reader } = this.#options;
    const spans: ChunkSpan[] = [];
    const items: (readonly KeyedItem[])[] = [];
    const until = env.ports.clock.monotonic() + PLANT_AFTER_MS;
    let bytes = 0;
    let from = after;
    for (;;) {
      // What is read already does not wait for a source that has to be tried again.
      const isFirst = spans.length === 0;
      const read = await reader.ahead(from, this.#left.signal, isFirst).catch((error: unknown) => {
        if (isFirst || !(error instanceof SourceFailed)) throw error;
        return "failed" as const;
      });
      if (read === null) return null;
      if (read === "failed") return { spans, items, next: from, last: null };
      const { next, last } = read;
      if (read.items.length > 0) {
        const to = next ?? last;
        spans.push({ from: read.from, to, size: read.items.length, items: isKept ? read.items : null });
        items.push(read.items);
      }
      if (isKept) {
        const kept = JSON.stringify(read.items).length;
        bytes += kept;
        this.#keptBytes += kept;
        this.#keptChunks += 1;
      }
      const isEnough = spans.length >= most || bytes > BYTES_PLANTED || env.ports.clock.monotonic() >= until;
      if (next === null || isEnough) return { spans, items, next, last };
      from = next;
    }
  }
}
