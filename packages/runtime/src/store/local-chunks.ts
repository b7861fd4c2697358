import { RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import { type EncodedFailure, encodeAdvance, encodePlant, encodeSettled } from "./batch-codec.js";
import { type BatchState, beginsByRate, countSettled, endIfDone, paceOf } from "./batch-state.js";
import type {
  AdvanceChunks,
  AdvanceResult,
  ChunkRef,
  KeyedItem,
  PlantChunks,
  PlantResult,
  SettledChunk,
  TakenChunk,
} from "./batch-store.js";
import type { BatchTables, StoredChunk } from "./batch-tables.js";
import { freshChunk, goesOn } from "./local-batches.js";

/** `plant` and `advance` of `BatchStore` on rows. Each is one transaction; `now` is the store's time. */

export function plant(tables: BatchTables, request: PlantChunks, now: number): PlantResult {
  const { cursor, chunks } = encodePlant(request);
  const { run, fence, first, worker, isEnd } = request;
  const batch = tables.batch(run);
  if (batch === undefined || batch.leadFence !== fence || first > batch.next) return { kind: "lost" };
  if (first < batch.next || (batch.isEnd && chunks.length === 0)) return { kind: "planted", taken: [] };
  if (batch.isEnd || !goesOn(tables, batch)) return { kind: "stopped" };

  const taken: TakenChunk[] = [];
  let left = tables.isActive(worker) ? Math.min(request.take, batch.concurrency - batch.ownedChunks) : 0;
  for (const [index, { from, to, size, items }] of chunks.entries()) {
    const chunk = freshChunk(first + index, from, to, size, items);
    if (left > 0 && beginsByRate(batch, size, now)) {
      left -= 1;
      taken.push(give(batch, chunk, worker));
    } else left = 0;
    batch.planted += size;
    tables.saveChunk(run, chunk);
  }
  batch.openChunks += chunks.length;
  batch.next = first + chunks.length;
  batch.cursor = cursor;
  batch.isEnd = isEnd;
  if (request.total !== undefined) batch.total = request.total;
  batch.updatedAt = now;
  endIfDone(batch, now);
  tables.saveBatch(batch);
  return { kind: "planted", taken };
}

export function advance(tables: BatchTables, request: AdvanceChunks, now: number): AdvanceResult {
  const failures = encodeAdvance(request);
  const batch = tables.batch(request.run);
  if (batch === undefined) {
    return { results: request.settled.map(() => "lost"), taken: [], status: "ended", waitMs: null };
  }
  const results = settle(tables, batch, request.settled, failures, now);
  const given = goesOn(tables, batch) && tables.isActive(request.worker) ? take(tables, batch, request, now) : NOTHING;
  if (batch.status === "closing") dropUnheld(tables, batch, request, now);
  tables.saveBatch(batch);
  return { results, taken: given.taken, status: batch.status, waitMs: given.waitMs };
}

/** What ends a transaction is the chunk that it was begun for. Error: `input-invalid`. */
export function checkOfChunk({ n, fence }: ChunkRef, settled: SettledChunk): void {
  if (settled.n === n && settled.fence === fence) return;
  const message = `expected the transaction of chunk ${n} with fence ${fence} to settle that one, got chunk ${settled.n} with fence ${settled.fence}`;
  throw new RuntimeError("input-invalid", message);
}

/** One chunk, at the end of a transaction with its effect. */
export function settleOne(tables: BatchTables, run: string, chunk: SettledChunk, now: number): "settled" | "lost" {
  const failures = encodeSettled([chunk]);
  const batch = tables.batch(run);
  if (batch === undefined) return "lost";
  const [result = "lost"] = settle(tables, batch, [chunk], failures, now);
  if (result === "settled") tables.saveBatch(batch);
  return result;
}

function settle(
  tables: BatchTables,
  batch: BatchState,
  settled: readonly SettledChunk[],
  failures: readonly EncodedFailure[],
  now: number,
): ("settled" | "lost")[] {
  const { run } = batch;
  const sums = { chunks: 0, owned: 0, done: 0, skipped: 0, failed: 0 };
  const counted = new Set<number>();
  const results = settled.map(({ n, fence, done, skipped, failed }): "settled" | "lost" => {
    const chunk = tables.chunk(run, n);
    // Of the dead, until it is somebody else's.
    if (chunk === undefined || chunk.fence !== fence || fence === 0) return "lost";
    tables.deleteChunk(run, n);
    counted.add(n);
    sums.chunks += 1;
    if (chunk.owner !== null) sums.owned += 1;
    sums.done += done;
    sums.skipped += skipped;
    sums.failed += failed.length;
    return "settled";
  });
  for (const { n, key, item, attempts, error } of failures)
    if (counted.has(n)) tables.addFailure(run, { key, item, attempts, error, failedAt: now });
  if (sums.chunks > 0) countSettled(batch, sums, now);
  return results;
}

interface Given {
  readonly taken: readonly TakenChunk[];
  readonly waitMs: number | null;
}

const NOTHING: Given = { taken: [], waitMs: null };

function take(
  tables: BatchTables,
  batch: BatchState,
  { run, worker, take: most, holding }: AdvanceChunks,
  now: number,
): Given {
  if (most === 0) return NOTHING;
  const held = new Set(holding);
  const taken = tables
    .ownedBy(run, worker)
    .filter(({ n }) => !held.has(n))
    .slice(0, most)
    .map((chunk) => takenChunk(batch, chunk));
  const room = Math.min(most - taken.length, batch.concurrency - batch.ownedChunks);
  if (room <= 0) return { taken, waitMs: null };
  for (const chunk of tables.free(run, room)) {
    if (!beginsByRate(batch, chunk.size, now)) return { taken, waitMs: Math.ceil(batch.nextAt - now) };
    taken.push(give(batch, chunk, worker));
    tables.saveChunk(run, chunk);
    batch.updatedAt = now;
  }
  return { taken, waitMs: null };
}

function give(batch: BatchState, chunk: StoredChunk, worker: string): TakenChunk {
  batch.ownedChunks += 1;
  chunk.owner = worker;
  chunk.fence += 1;
  return takenChunk(batch, chunk);
}

function takenChunk(batch: BatchState, chunk: StoredChunk): TakenChunk {
  return {
    run: batch.run,
    n: chunk.n,
    fence: chunk.fence,
    size: chunk.size,
    from: JSON.parse(chunk.from) as Json,
    to: JSON.parse(chunk.to) as Json,
    items: chunk.items === null ? null : (JSON.parse(chunk.items) as KeyedItem[]),
    crashes: chunk.crashes,
    marked: chunk.markedKey === null ? null : { key: chunk.markedKey, crashes: chunk.markedCrashes },
    paceMs: paceOf(batch),
  };
}

/** What it was given by a reply that was lost; nobody else would ever settle it. */
function dropUnheld(
  tables: BatchTables,
  batch: BatchState,
  { run, worker, holding }: AdvanceChunks,
  now: number,
): void {
  const held = new Set(holding);
  for (const { n } of tables.ownedBy(run, worker)) {
    if (held.has(n)) continue;
    tables.deleteChunk(run, n);
    batch.openChunks -= 1;
    batch.ownedChunks -= 1;
  }
  endIfDone(batch, now);
}
