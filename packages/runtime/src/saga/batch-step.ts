import type { ItemSource, SourceScope } from "../batch/item-source.js";
import type { Json, JsonObject } from "../json.js";
import type { Expression, RetryPolicy, ServiceCall } from "./service-act.js";

/** Works the items of a source, in chunks: the one step of a batch. */
export interface BatchStep {
  readonly kind: "batch";
  readonly name: string;
  readonly when?: undefined;
  /** Asked when an instance begins to read for a run. */
  readonly source: (scope: SourceScope) => SourceChoice | Promise<SourceChoice>;
  /** What the source is, in a word; a part of the version. */
  readonly sourceKind: string;
  readonly chunkSize: number;
  /** Chunks under way at once, over all instances. */
  readonly concurrency: number;
  /** Null: any number. */
  readonly maxFailures: number | null;
  /** Null: any part. */
  readonly maxFailureRatio: number | null;
  readonly rateLimit: { readonly max: number; readonly windowMs: number } | null;
  readonly work: BatchWork;
  /** Of one attempt at an item, or at a chunk, ms; null: 30 s. */
  readonly itemTimeoutMs: number | null;
  readonly retry: Partial<RetryPolicy>;
}

export type BatchWork =
  | { readonly kind: "stages"; readonly stages: readonly BatchStage[] }
  | { readonly kind: "each"; readonly run: ItemHandler }
  | { readonly kind: "chunk"; readonly run: ChunkHandler };

/** One of the acts that are done for each item, in order. */
export interface BatchStage {
  readonly name: string;
  readonly call: ServiceCall;
  /** Over `input`, `outputs` (of the item's earlier stages) and `item`. No: the stage is skipped, its output is null. */
  readonly when?: Expression;
  /** What the service is sent. */
  readonly input?: Expression;
  /** Per attempt, ms; null: the batch's, the service's, else 30 s. */
  readonly timeoutMs: number | null;
  readonly retry: Partial<RetryPolicy>;
  /** Done when a later stage of the item fails for good. */
  readonly compensation: {
    readonly call: ServiceCall;
    readonly timeoutMs: number | null;
    readonly retry: Partial<RetryPolicy>;
  } | null;
}

/** A source by what it is made of. `key`: the field of an item that is its key. */
export type SourceChoice<Item = Json> =
  /** Of a list; `key` by default: the place, from 0 on. */
  | { readonly items: readonly Item[]; readonly key?: string }
  /** Records of an entity, as `sources` of the manager reads them. */
  | { readonly entity: string; readonly where?: JsonObject }
  /** Pages of a service: asked with `{cursor, limit}`, it answers `{items, next_cursor}`. `key` by default: `id`. */
  | { readonly service: string; readonly endpoint: string; readonly method?: string; readonly key?: string }
  /** A file: its lines, or the records of a CSV with a header; `key` by default: the number of the line, or of the record, from 1 on. */
  | { readonly file: string; readonly format?: "lines" | "csv"; readonly key?: string }
  | ItemSource<Item>;

/** What a handler of an item is given. `signal` and `idempotencyKey` are made when they are read. */
export interface ItemCall<Item = Json, Input = Json> {
  readonly item: Item;
  readonly key: string;
  readonly runId: string;
  /** The run's. */
  readonly input: Input;
  /** The same in every attempt, and when the chunk is worked again after a crash: `<run id>:items[<key>]/each`. */
  readonly idempotencyKey: string;
  /** From 1 on, of this working of the chunk. */
  readonly attempt: number;
  /** Aborted at the attempt's timeout, and when this instance lost the chunk. */
  readonly signal: AbortSignal;
}

/** What it returns is not kept. `BusinessRefusal` fails the item at once; any other throw is retried. */
export type ItemHandler<Item = Json, Input = Json> = (call: ItemCall<Item, Input>) => unknown;

export interface ChunkCall<Item = Json, Input = Json> {
  readonly items: readonly { readonly key: string; readonly item: Item }[];
  readonly runId: string;
  readonly input: Input;
  readonly attempt: number;
  readonly signal: AbortSignal;
  /** Of an item: `<run id>:items[<key>]/chunk`. */
  idempotencyKey(key: string): string;
  /** Says that an item failed for good; the others are done. Error: `input-invalid` (no item of the chunk has that key). */
  fail(key: string, error: Error | { readonly code: string; readonly message: string }): void;
  /**
   * Does the callback's work in a transaction of the store's own database, which also settles the chunk: both are durable, or neither.
   * Once per attempt; items that failed are named before the callback is over. Errors: as a step's `transaction`.
   */
  transaction<Output, Client = unknown>(callback: (client: Client) => Output | Promise<Output>): Promise<Output>;
}

/** What it returns is not kept. A throw is retried for the whole chunk, and at last fails all its items; `BusinessRefusal` at once. */
export type ChunkHandler<Item = Json, Input = Json> = (call: ChunkCall<Item, Input>) => unknown;
