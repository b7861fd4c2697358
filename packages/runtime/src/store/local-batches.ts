import type { Failure } from "../engine/records.js";
import { isEnded } from "../engine/records.js";
import type { Json } from "../json.js";
import { checkFailureQuery, checkKey, checkOpen, encodeError, itemsText } from "./batch-codec.js";
import { type BatchState, endIfDone, newBatch, openAgain, takeFailedBack } from "./batch-state.js";
import type { ActiveBatch, BatchLead, ChunkRef, FailedItem, FailedItemPage, OpenBatch } from "./batch-store.js";
import type { BatchTables, PlacedFailure, StoredChunk } from "./batch-tables.js";
import { fromCount } from "./event-codec.js";
import { encodeJson } from "./run-codec.js";
import type { DefinitionRef } from "./run-store.js";

/** The calls of `BatchStore` on rows, but for those of local-chunks.ts. Each is one transaction; `now` is the store's time. */

export function openBatch(tables: BatchTables, batch: OpenBatch, round: number, now: number): void {
  checkOpen(batch, round);
  const run = tables.runOf(batch.run);
  if (run === undefined || isEnded(run.status)) return;
  const known = tables.batch(batch.run);
  if (known === undefined) return tables.saveBatch(newBatch(batch, round, now));
  if (round <= known.round) return;
  openAgain(known, round, now);
  tables.saveBatch(known);
}

const MAX_ACTIVE = 100;

export function activeBatches(
  tables: BatchTables,
  worker: string,
  definitions: readonly DefinitionRef[],
): ActiveBatch[] {
  if (!tables.isActive(worker)) return [];
  const listed = new Set(definitions.map(refOf));
  const found: ActiveBatch[] = [];
  for (const batch of tables.untold()) {
    const run = tables.runOf(batch.run);
    if (run === undefined || !listed.has(refOf({ name: run.definition, version: run.version }))) continue;
    const active = activeBatch(tables, batch, worker);
    if (!active.leads && active.takeable === 0 && !active.untold) continue;
    found.push({ ...active, run: batch.run, definition: run.definition, version: run.version });
    if (found.length === MAX_ACTIVE) break;
  }
  return found;
}

function refOf({ name, version }: DefinitionRef): string {
  return JSON.stringify([name, version]);
}

function activeBatch(
  tables: BatchTables,
  batch: BatchState,
  worker: string,
): Pick<ActiveBatch, "status" | "round" | "leads" | "takeable" | "untold"> {
  const { status, round } = batch;
  const gives = goesOn(tables, batch);
  const owned = gives || status === "closing" ? tables.ownedBy(batch.run, worker).length : 0;
  const free = gives
    ? Math.max(0, Math.min(batch.openChunks - batch.ownedChunks, batch.concurrency - batch.ownedChunks))
    : 0;
  return {
    ...{ status, round, takeable: owned + free },
    leads: gives && !batch.isEnd && mayLead(tables, batch, worker),
    untold: status === "halted" || status === "ended",
  };
}

/** Chunks of it are planted and given out. */
export function goesOn(tables: BatchTables, batch: BatchState): boolean {
  if (batch.status !== "open") return false;
  const status = tables.runOf(batch.run)?.status;
  return status === "running" || status === "waiting";
}

function mayLead(tables: BatchTables, { leader }: BatchState, worker: string): boolean {
  return leader === null || leader === worker || !tables.isAlive(leader);
}

export function lead(tables: BatchTables, run: string, worker: string, now: number): BatchLead | null {
  const batch = tables.batch(run);
  if (batch === undefined || batch.isEnd || !goesOn(tables, batch)) return null;
  if (!tables.isActive(worker) || !mayLead(tables, batch, worker)) return null;
  if (batch.leader !== worker) {
    batch.leader = worker;
    batch.leadFence += 1;
    batch.updatedAt = now;
    tables.saveBatch(batch);
  }
  return { fence: batch.leadFence, cursor: JSON.parse(batch.cursor) as Json, next: batch.next };
}

export function halt(tables: BatchTables, run: string, fence: number, failure: Failure, now: number): boolean {
  const batch = tables.batch(run);
  if (batch === undefined || batch.leadFence !== fence) return false;
  if (batch.status !== "open") return true;
  batch.status = "halted";
  batch.failure = encodeError(failure);
  batch.updatedAt = now;
  tables.saveBatch(batch);
  return true;
}

export function mark(tables: BatchTables, { run, n, fence }: ChunkRef, key: string | null): boolean {
  if (key !== null) checkKey(key);
  const chunk = tables.chunk(run, n);
  if (chunk === undefined || chunk.fence !== fence || chunk.owner === null) return false;
  chunk.underWay = key;
  tables.saveChunk(run, chunk);
  return true;
}

export function closeBatch(tables: BatchTables, run: string, now: number): "closed" | "closing" {
  const batch = tables.batch(run);
  if (batch === undefined || batch.status === "ended") return "closed";
  batch.openChunks -= tables.deleteFree(run);
  if (batch.status !== "closing") {
    batch.status = "closing";
    batch.told = false;
    batch.updatedAt = now;
  }
  endIfDone(batch, now);
  tables.saveBatch(batch);
  // `endIfDone` may have ended it.
  return (batch.status as string) === "ended" ? "closed" : "closing";
}

export function told(tables: BatchTables, run: string, round: number): void {
  const batch = tables.batch(run);
  if (batch === undefined || batch.round !== round) return;
  if (batch.status !== "halted" && batch.status !== "ended") return;
  batch.told = true;
  tables.saveBatch(batch);
}

/** What a worker that is dead from here on owned is free; of a batch that is closing it is dropped. */
export function freeChunksOf(tables: BatchTables, worker: string, crashed: boolean, now: number): void {
  for (const run of tables.runsOfOwner(worker)) {
    const batch = tables.batch(run);
    if (batch === undefined) continue;
    for (const chunk of tables.ownedBy(run, worker)) {
      batch.ownedChunks -= 1;
      if (batch.status === "closing") {
        batch.openChunks -= 1;
        tables.deleteChunk(run, chunk.n);
        continue;
      }
      chunk.owner = null;
      if (crashed) {
        chunk.crashes += 1;
        if (chunk.underWay !== null) {
          chunk.markedCrashes = chunk.underWay === chunk.markedKey ? chunk.markedCrashes + 1 : 1;
          chunk.markedKey = chunk.underWay;
        }
      }
      chunk.underWay = null;
      tables.saveChunk(run, chunk);
    }
    endIfDone(batch, now);
    tables.saveBatch(batch);
  }
}

export function listFailures(
  tables: BatchTables,
  run: string,
  query: { readonly limit: number; readonly cursor?: string },
): FailedItemPage {
  checkFailureQuery(query);
  const found = tables.failures(run, fromCount(query.cursor, "a cursor") ?? 0, query.limit + 1);
  return failedItemPage(found, query.limit);
}

/** Of one more than were asked for, if there are so many. */
export function failedItemPage(found: readonly PlacedFailure[], limit: number): FailedItemPage {
  const page = found.slice(0, limit);
  const items = page.map(({ key, item, attempts, error, failedAt }) => ({
    ...{ key, item: JSON.parse(item) as Json, attempts },
    ...{ error: JSON.parse(error) as FailedItem["error"], failedAt },
  }));
  return { items, nextCursor: found.length > limit ? String(page.at(-1)?.place) : null };
}

export function requeue(tables: BatchTables, run: string, limit: number, from: Json, now: number): number {
  const encodedFrom = encodeJson(from, "the beginning of a chunk");
  const batch = tables.batch(run);
  if (batch === undefined || limit <= 0 || (batch.status !== "open" && batch.status !== "halted")) return 0;
  const found = tables.failures(run, 0, limit);
  const last = found.at(-1);
  if (last === undefined) return 0;
  tables.deleteFailures(run, last.place);
  tables.saveChunk(run, freshChunk(batch.next, encodedFrom, "null", found.length, itemsText(found)));
  batch.next += 1;
  batch.openChunks += 1;
  // Whoever leads knows another number.
  batch.leader = null;
  batch.leadFence += 1;
  takeFailedBack(batch, found.length, now);
  tables.saveBatch(batch);
  return found.length;
}

export function freshChunk(n: number, from: string, to: string, size: number, items: string | null): StoredChunk {
  return {
    n,
    from,
    to,
    size,
    items,
    fence: 0,
    owner: null,
    crashes: 0,
    underWay: null,
    markedKey: null,
    markedCrashes: 0,
  };
}
