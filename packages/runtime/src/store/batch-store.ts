import type { Failure } from "../engine/records.js";
import type { Json } from "../json.js";
import type { DefinitionRef } from "./definition-ref.js";

/**
 * Batches beside the runs, in the same database: how far each has read its source, the chunks that are not done, and the items
 * that failed. A batch belongs to a run; chunks are given to workers while the run is `running` or `waiting`. Time is the store's
 * own, and a worker is alive as the run store's leases say. A call that cannot be answered throws `store-unavailable`; its effect
 * is then unknown, and the caller sends the same again.
 *
 * One worker at a time leads a batch: it reads the source and plants chunks. Any worker takes chunks, also the leader. A chunk is
 * planted before it is worked and deleted in the write that settles it, so what is left of a batch is its place in the source and the
 * chunks that are there: the lowest of these is the low-water mark, and what is missing above it is done.
 */
export interface BatchStore {
  /**
   * Idempotent by run and `round`, which counts from 1. One that has halted goes on when the round is higher than the one noted: what
   * failed so far no longer counts against the budget. Otherwise a higher round is noted, no more: one that is closing or has ended
   * stays so, and is to be told again. Of a run that is unknown or has ended none is opened.
   */
  open(batch: OpenBatch, round: number): Promise<void>;
  /** Batches of these definitions that have something to be done by this worker, oldest first, at most 100; none when it is not active. */
  active(worker: string, definitions: readonly DefinitionRef[]): Promise<ActiveBatch[]>;
  /**
   * The worker leads the batch from here on, if it is active and nobody alive does or it does already (its fence stays then). Null: somebody
   * else does, or there is nothing more to be planted.
   */
  lead(run: string, worker: string): Promise<BatchLead | null>;
  /**
   * If and only if the fence is the newest and `first` is the number of the next chunk. Sent again it is `planted` again, and what was
   * taken then comes by `advance`. `lost`: somebody else leads. `stopped`: the batch is halted, closing or has ended, or its run does not go on.
   */
  plant(request: PlantChunks): Promise<PlantResult>;
  /** The leader cannot go on. Nothing more is given out until `open` with a higher round. False: the fence is not the newest. */
  halt(run: string, fence: number, failure: Failure): Promise<boolean>;
  /**
   * Settles chunks, each if and only if its fence is the newest, and gives up to `take` more to the worker, lowest first: those that it owns
   * and that are not in `holding` (a reply was lost), then those that nobody owns, also those of the dead. Not more than the batch's
   * `concurrency` are owned at once, over all workers, and not more items begin than its rate allows. Settling counts, keeps the items that
   * failed and, over the budget, halts the batch. The write that settles the last chunk of a source that is read to its end ends the batch.
   *
   * A worker has one call at a time under way for a batch, of `advance` and of `plant` with `take`: else what one of them took would look to
   * the other as a reply that was lost. Of a batch that is closing, what it owns and does not hold is dropped.
   */
  advance(request: AdvanceChunks): Promise<AdvanceResult>;
  /** Says which item is begun next, before it is. Null: none. Only for chunks whose owner died before. False: the chunk is somebody else's. */
  mark(chunk: ChunkRef, key: string | null): Promise<boolean>;
  /** A transaction that settles one chunk together with its effect in the store's own database. Only where the store has such a database. */
  begin?(chunk: ChunkRef): Promise<ChunkTransaction>;
  /**
   * Nothing more is planted or given out, free chunks and those of the dead are dropped; it ends when those under way are settled.
   * `closed`: it has ended, or never was. `closing`: workers alive still own chunks.
   */
  close(run: string): Promise<"closed" | "closing">;
  /** The run knows how it ended, or that it halted: `active` no longer says so. Nothing, when the batch is in another round. */
  told(run: string, round: number): Promise<void>;

  get(run: string): Promise<BatchProgress | undefined>;
  /** Items that failed, in the order of their failing; `cursor` from the page before. `limit` 1 to 10,000. */
  failures(run: string, query: { readonly limit: number; readonly cursor?: string }): Promise<FailedItemPage>;
  /**
   * Turns up to `limit` failed items of a batch that is open or halted, the first that failed, into one more chunk, which is tried anew.
   * `from` becomes that of the chunk; its `to` is null. Returns how many. Chunks are numbered by it, too: whoever leads has to `lead` again.
   */
  requeue(run: string, limit: number, from: Json): Promise<number>;
}

export interface OpenBatch {
  readonly run: string;
  /** Chunks owned at once, over all workers; from 1. */
  readonly concurrency: number;
  /** Items that may fail; one more halts the batch. Null: any number. */
  readonly maxFailures: number | null;
  /** Part of the items settled that may fail, 0 to 1; judged from 100 settled items on, and at the end. Null: any part. */
  readonly maxFailureRatio: number | null;
  /** Items that begin in a window, over all workers. Null: no limit. */
  readonly rateLimit: { readonly max: number; readonly windowMs: number } | null;
}

export type BatchStatus = "open" | "halted" | "closing" | "ended";

export interface ActiveBatch {
  readonly run: string;
  readonly definition: string;
  readonly version: string;
  readonly status: BatchStatus;
  /** The highest that it was opened with. */
  readonly round: number;
  /** The worker may lead it: nobody alive does, and its source is not read to the end. Also true for its leader. */
  readonly leads: boolean;
  /** Chunks that the worker could be given now, as far as the rate allows, and those that it owns. */
  readonly takeable: number;
  /** It has ended or halted and its run does not know: signal the run, then `told`. */
  readonly untold: boolean;
}

export interface BatchLead {
  readonly fence: number;
  /** Where the source is to be read from; null: from its beginning. */
  readonly cursor: Json;
  /** Number of the next chunk, from 1 on. */
  readonly next: number;
}

/** Where items are found in their source: behind `from` (null: from the beginning), up to and with `to`. */
export interface ChunkSpan {
  readonly from: Json;
  readonly to: Json;
  readonly size: number;
  /** Those of a source that cannot be read again at a place, and those that are tried again. Null: read them. */
  readonly items: readonly KeyedItem[] | null;
}

/** `key`: 1 to 512 characters, unique in the batch. */
export interface KeyedItem {
  readonly key: string;
  readonly item: Json;
}

export interface PlantChunks {
  readonly run: string;
  readonly fence: number;
  readonly first: number;
  readonly chunks: readonly ChunkSpan[];
  /** From where the next ones are read. */
  readonly cursor: Json;
  /** The source is read to its end. A batch without a chunk has then ended. */
  readonly isEnd: boolean;
  /** Items in the whole source, as far as it is known. Left out: as before. */
  readonly total?: number;
  /** Gives up to that many of these chunks to the leader, as `advance` would. */
  readonly take: number;
  readonly worker: string;
}

export type PlantResult =
  | { readonly kind: "planted"; readonly taken: readonly TakenChunk[] }
  | { readonly kind: "lost" }
  | { readonly kind: "stopped" };

export interface AdvanceChunks {
  readonly run: string;
  readonly worker: string;
  readonly settled: readonly SettledChunk[];
  readonly take: number;
  /** Numbers of the chunks that the worker goes on with. */
  readonly holding: readonly number[];
}

export interface ChunkRef {
  readonly run: string;
  readonly n: number;
  readonly fence: number;
}

export interface SettledChunk {
  readonly n: number;
  readonly fence: number;
  readonly done: number;
  /** Items that turned out to need nothing: their conditions said no, or the source no longer had them. */
  readonly skipped: number;
  readonly failed: readonly FailedItem[];
}

export interface FailedItem extends KeyedItem {
  readonly attempts: number;
  readonly error: Failure;
}

export interface AdvanceResult {
  /** In the order given. `lost`: the chunk is somebody else's, or was settled before; nothing was counted. */
  readonly results: readonly ("settled" | "lost")[];
  readonly taken: readonly TakenChunk[];
  readonly status: BatchStatus;
  /** When less was given than could have been, because of the rate: how long until there is more, ms. Null: not because of the rate. */
  readonly waitMs: number | null;
}

export interface TakenChunk extends ChunkRef, ChunkSpan {
  /** Owners that died while they had it. From 1 on its items are marked. */
  readonly crashes: number;
  /** The item that was under way when its owner died, and how often it was. */
  readonly marked: { readonly key: string; readonly crashes: number } | null;
  /** The time that one of its items has, ms: with a rate limit they begin that far apart. 0 without one. */
  readonly paceMs: number;
}

export interface ChunkTransaction {
  /** The driver's own client, inside the transaction; as `StepTransaction.client`. */
  readonly client: unknown;
  /** Settles the chunk and commits. `lost`: everything was rolled back. */
  commit(settled: SettledChunk): Promise<"settled" | "lost">;
  /** Harmless after the end. */
  rollback(): Promise<void>;
}

export interface BatchProgress {
  readonly run: string;
  readonly status: BatchStatus;
  /** Why it halted. */
  readonly failure: Failure | null;
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
  /** Items read so far. */
  readonly planted: number;
  /** Items in the whole source, if it is known; what was read, once it is read to the end. */
  readonly total: number | null;
  readonly openChunks: number;
  readonly ownedChunks: number;
  /** Items settled in a second, over the last half minute or so; null: not known yet. */
  readonly rate: number | null;
  /** Store's clock, ms since the epoch. */
  readonly startedAt: number;
  readonly updatedAt: number;
  readonly endedAt: number | null;
}

export interface FailedItemPage {
  readonly items: readonly (FailedItem & { readonly failedAt: number })[];
  readonly nextCursor: string | null;
}
