import { backoffMs } from "../engine/backoff.js";
import type { Failure } from "../engine/records.js";
import { RuntimeError } from "../errors.js";
import { isStorableText, type Json, toJson } from "../json.js";
import type { Logger } from "../log.js";
import { type Ports, sleep } from "../ports.js";
import type { RetryPolicy } from "../saga/definition.js";
import type { ChunkSpan, KeyedItem } from "../store/batch-store.js";
import type { ItemPage, ItemSource } from "./item-source.js";

export interface SourceReaderOptions {
  /** Made when it is first read. */
  readonly source: () => Promise<ItemSource>;
  readonly input: Json;
  readonly chunkSize: number;
  readonly policy: RetryPolicy;
  readonly timeoutMs: number;
  readonly ports: Ports;
  readonly logger: Logger;
  /** For logs. */
  readonly run: string;
}

/** One chunk's worth of the source. */
export interface ReadChunk {
  /** Behind which its items are found: of pages without any, the place behind them. */
  readonly from: Json;
  readonly items: readonly KeyedItem[];
  /** Null: the source is read to its end. */
  readonly next: Json;
  readonly last: Json;
}

/** The source could not be read for good. */
export class SourceFailed extends Error {
  override readonly name = "SourceFailed";
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

const MAX_PAGE = 10_000;
const MAX_PLACE_BYTES = 16_384;
const MAX_KEY = 512;
/** Pages without an item, one after the other. */
const MAX_EMPTY = 1_000;

/** Reads a source by the batch's policy, and takes nothing from it that would harm: what it gives is somebody else's. */
export class SourceReader {
  readonly #options: SourceReaderOptions;
  #source: Promise<ItemSource> | null = null;

  constructor(options: SourceReaderOptions) {
    this.#options = options;
  }

  async isKept(): Promise<boolean> {
    return (await this.#opened()).isKept === true;
  }

  /** Undefined: not known, also when asking fails. */
  async total(signal: AbortSignal): Promise<number | undefined> {
    try {
      const { input } = this.#options;
      const total = (await (await this.#opened()).count?.({ input, signal })) ?? null;
      return total !== null && Number.isSafeInteger(total) && total >= 0 ? total : undefined;
    } catch (error) {
      this.#options.logger.warn({ run: this.#options.run, error: String(error) }, "the source does not tell how many items it has");
      return undefined;
    }
  }

  /**
   * The next items behind the place, a chunk of them. Throws `SourceFailed`, also when it is not `isPatient` and would have to be tried again;
   * resolves to null when `signal` aborts.
   */
  async ahead(after: Json, signal: AbortSignal, isPatient: boolean): Promise<ReadChunk | null> {
    for (let from = after, empty = 0; ; empty++) {
      const page = await this.#read(from, null, signal, isPatient ? this.#options.policy.maxAttempts : 1);
      if (page === null || page.items.length > 0 || page.next === null) return page;
      if (empty >= MAX_EMPTY)
        throw new SourceFailed(invalid(`expected an item or the end within ${MAX_EMPTY} pages, got none`));
      from = page.next;
    }
  }

  /** The items of a chunk again. Throws `SourceFailed`; resolves to null when `signal` aborts. */
  async again({ from, to }: Pick<ChunkSpan, "from" | "to">, signal: AbortSignal): Promise<readonly KeyedItem[] | null> {
    return (await this.#read(from, to, signal, this.#options.policy.maxAttempts))?.items ?? null;
  }

  #opened(): Promise<ItemSource> {
    this.#source ??= this.#options.source().catch((error: unknown) => {
      this.#source = null;
      throw error;
    });
    return this.#source;
  }

  async #read(after: Json, until: Json, signal: AbortSignal, attempts: number): Promise<ReadChunk | null> {
    const { policy, ports, logger, run } = this.#options;
    for (let failures = 1; ; failures++) {
      if (signal.aborted) return null;
      try {
        return await this.#readOnce(after, until, signal);
      } catch (error) {
        if (signal.aborted) return null;
        const message = (error instanceof Error ? error.message : String(error)).slice(0, 400);
        if (failures >= attempts)
          throw new SourceFailed({ code: "source-failed", message: `the source could not be read: ${message}` });
        logger.warn({ run, failures, error: message }, "the source of a batch could not be read; trying again");
        await sleep(ports.clock, backoffMs(policy, failures, () => ports.random.float()), signal);
      }
    }
  }

  async #readOnce(after: Json, until: Json, leaving: AbortSignal): Promise<ReadChunk> {
    const { input, chunkSize, timeoutMs, ports } = this.#options;
    const source = await this.#opened();
    const answer = source.read({ after, until, limit: chunkSize, input, signal: leaving });
    const page = answer instanceof Promise ? await inTime(answer, timeoutMs, ports, leaving) : answer;
    return checkedPage(page, after);
  }
}

function inTime(
  answer: Promise<ItemPage>,
  timeoutMs: number,
  { clock }: Ports,
  leaving: AbortSignal,
): Promise<ItemPage> {
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(new Error(`expected a page within ${timeoutMs} ms, got none`));
    const cancel = clock.after(timeoutMs, fail);
    leaving.addEventListener("abort", fail, { once: true });
    answer.then(resolve, reject).finally(() => {
      cancel();
      leaving.removeEventListener("abort", fail);
    });
  });
}

function checkedPage(page: ItemPage, after: Json): ReadChunk {
  const { items, next } = page;
  if (!Array.isArray(items)) throw refused(`expected a list of items, got ${typeof items}`);
  if (items.length > MAX_PAGE) throw refused(`expected pages of at most ${MAX_PAGE} items, got ${items.length}`);
  const place = toJson(next, "the place of the next page", MAX_PLACE_BYTES);
  const last = toJson(page.last, "the place of the last item", MAX_PLACE_BYTES);
  if (items.length === 0 && place !== null && JSON.stringify(place) === JSON.stringify(after))
    throw refused(`expected another place behind an empty page, got ${JSON.stringify(place).slice(0, 60)} again`);
  const keys = new Set<string>();
  const checked = items.map(({ key, item }: KeyedItem): KeyedItem => {
    if (typeof key !== "string" || key === "" || key.length > MAX_KEY || !isStorableText(key))
      throw refused(`expected keys of 1 to ${MAX_KEY} characters without NUL, got ${JSON.stringify(key)?.slice(0, 60)}`);
    if (keys.has(key)) throw refused(`expected each key once, got ${JSON.stringify(key.slice(0, 60))} twice in a page`);
    keys.add(key);
    return { key, item: toJson(item, () => `item ${JSON.stringify(key.slice(0, 60))}`) };
  });
  return { from: after, items: checked, next: place, last };
}

function refused(message: string): RuntimeError {
  return new RuntimeError("source-invalid", message);
}

function invalid(message: string): Failure {
  return { code: "source-failed", message };
}
