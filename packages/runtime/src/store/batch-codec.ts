import type { Failure } from "../engine/records.js";
import { RuntimeError } from "../errors.js";
import type { AdvanceChunks, ChunkSpan, FailedItem, OpenBatch, PlantChunks, SettledChunk } from "./batch-store.js";
import { mended } from "./event-codec.js";
import { checkInteger, checkIsText, checkTexts, encodeJson } from "./run-codec.js";

/**
 * What a store writes of a batch: payloads as JSON text, after everything that a database could refuse, or give back as something
 * else, is refused for the whole call (`input-invalid`).
 */
export interface EncodedSpan {
  readonly from: string;
  readonly to: string;
  readonly size: number;
  readonly items: string | null;
}

export interface EncodedPlant {
  readonly cursor: string;
  readonly chunks: readonly EncodedSpan[];
}

export interface EncodedFailure {
  /** Number of its chunk. */
  readonly n: number;
  readonly key: string;
  readonly item: string;
  readonly attempts: number;
  readonly error: string;
}

const MAX_KEY_CHARACTERS = 512;
const MAX_CODE_CHARACTERS = 200;
const MAX_MESSAGE_CHARACTERS = 4_000;
const MAX_FAILURES_READ = 10_000;
/** What every store's column takes. */
const MAX_COUNT = 2 ** 31 - 1;

export function checkOpen(batch: OpenBatch, round: number): void {
  checkTexts(batch, "a batch", ["run"]);
  checkCount(batch.concurrency, "concurrency", 1);
  checkCount(round, "a round", 1);
  if (batch.maxFailures !== null) checkCount(batch.maxFailures, "maxFailures", 0);
  const { maxFailureRatio: ratio, rateLimit } = batch;
  if (ratio !== null && !(ratio >= 0 && ratio <= 1))
    throw new RuntimeError("input-invalid", `expected maxFailureRatio from 0 to 1, got ${ratio}`);
  if (rateLimit === null) return;
  checkCount(rateLimit.max, "the rate's max", 1);
  checkCount(rateLimit.windowMs, "the rate's windowMs", 1);
}

export function encodePlant(request: PlantChunks): EncodedPlant {
  checkTexts(request, "a plant of chunks", ["run", "worker"]);
  checkCount(request.fence, "a fence", 0);
  checkCount(request.first, "a chunk's number", 1);
  checkCount(request.take, "take", 0);
  if (request.total !== undefined) checkInteger(request.total, "total", 0);
  return { cursor: encodeJson(request.cursor, "the cursor"), chunks: request.chunks.map(encodeSpan) };
}

function encodeSpan({ from, to, size, items }: ChunkSpan): EncodedSpan {
  checkCount(size, "the size of a chunk", 1);
  if (items !== null && items.length !== size)
    throw new RuntimeError("input-invalid", `expected ${size} items in a chunk of that size, got ${items.length}`);
  if (items !== null) for (const { key } of items) checkKey(key);
  return {
    from: encodeJson(from, "the beginning of a chunk"),
    to: encodeJson(to, "the end of a chunk"),
    size,
    items:
      items === null ? null : itemsText(items.map(({ key, item }) => ({ key, item: encodeJson(item, "an item") }))),
  };
}

/** `item`: JSON text. */
export function itemsText(items: readonly { readonly key: string; readonly item: string }[]): string {
  return `[${items.map(({ key, item }) => `{"key":${JSON.stringify(key)},"item":${item}}`).join(",")}]`;
}

/** The items that failed, chunk by chunk in the order given. */
export function encodeAdvance(request: AdvanceChunks): EncodedFailure[] {
  checkTexts(request, "an advance of chunks", ["run", "worker"]);
  checkCount(request.take, "take", 0);
  for (const n of request.holding) checkCount(n, "a chunk's number", 1);
  return encodeSettled(request.settled);
}

export function encodeSettled(settled: readonly SettledChunk[]): EncodedFailure[] {
  const failures: EncodedFailure[] = [];
  const seen = new Set<number>();
  for (const chunk of settled) {
    checkCount(chunk.n, "a chunk's number", 1);
    checkCount(chunk.fence, "a fence", 0);
    checkCount(chunk.done, "the items done", 0);
    checkCount(chunk.skipped, "the items skipped", 0);
    if (seen.has(chunk.n)) {
      throw new RuntimeError("input-invalid", `expected each chunk once in a call, got chunk ${chunk.n} twice`);
    }
    seen.add(chunk.n);
    for (const item of chunk.failed) failures.push(encodeFailure(chunk.n, item));
  }
  return failures;
}

function encodeFailure(n: number, { key, item, attempts, error }: FailedItem): EncodedFailure {
  checkKey(key);
  checkCount(attempts, "the attempts of an item", 0);
  return { n, key, item: encodeJson(item, "a failed item"), attempts, error: encodeError(error) };
}

/** As JSON text, whatever it says: what could not be told of its failure would be tried for ever. */
export function encodeError({ code, message, status }: Failure): string {
  const error = { code: mended(code, MAX_CODE_CHARACTERS), message: mended(message, MAX_MESSAGE_CHARACTERS), status };
  return JSON.stringify(error);
}

/** Error: `input-invalid`. */
export function checkKey(key: string): void {
  checkIsText(key, "the key of an item");
  if (key.length > 0 && key.length <= MAX_KEY_CHARACTERS) return;
  const message = `expected the key of an item of 1 to ${MAX_KEY_CHARACTERS} characters, got ${key.length}; use a shorter one that is unique in the batch`;
  throw new RuntimeError("input-invalid", message);
}

export function checkFailureQuery({ limit }: { readonly limit: number }): void {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= MAX_FAILURES_READ) return;
  throw new RuntimeError("input-invalid", `expected a limit from 1 to ${MAX_FAILURES_READ}, got ${limit}`);
}

export function checkCount(value: number, what: string, min: number): void {
  checkInteger(value, what, min);
  if (value > MAX_COUNT)
    throw new RuntimeError("input-invalid", `expected ${what} of at most ${MAX_COUNT}, got ${value}`);
}
