import type { BatchTables, StoredChunk } from "../../store/batch-tables.js";
import { isActive, isAlive } from "./leases.js";
import type { MemoryWorld } from "./world.js";

export function memoryBatchTables(world: MemoryWorld, now: number): BatchTables {
  const { batches } = world;
  const chunksOf = (run: string): Map<number, StoredChunk> => batches.get(run)?.chunks ?? new Map();
  return {
    runOf: (run) => world.runs.get(run),
    isActive: (worker) => isActive(world, worker, now),
    isAlive: (worker) => isAlive(world, worker),
    batch(run) {
      const state = batches.get(run)?.state;
      return state && { ...state };
    },
    saveBatch(state) {
      const known = batches.get(state.run);
      if (known === undefined) batches.set(state.run, { state, chunks: new Map(), failures: [], lastPlace: 0 });
      else known.state = state;
    },
    untold: () =>
      [...batches.values()]
        .map(({ state }) => state)
        .filter(({ told }) => !told)
        .sort((a, b) => (a.run < b.run ? -1 : 1)),
    chunk(run, n) {
      const chunk = batches.get(run)?.chunks.get(n);
      return chunk && { ...chunk };
    },
    saveChunk: (run, chunk) => void chunksOf(run).set(chunk.n, chunk),
    deleteChunk: (run, n) => void chunksOf(run).delete(n),
    ownedBy: (run, worker) => found(chunksOf(run), (chunk) => chunk.owner === worker),
    free: (run, limit) => found(chunksOf(run), (chunk) => chunk.owner === null, limit),
    deleteFree(run) {
      const free = found(chunksOf(run), (chunk) => chunk.owner === null);
      for (const { n } of free) chunksOf(run).delete(n);
      return free.length;
    },
    runsOfOwner: (worker) =>
      [...batches.keys()].filter((run) => found(chunksOf(run), (chunk) => chunk.owner === worker, 1).length > 0),
    addFailure(run, failure) {
      const batch = batches.get(run);
      if (batch === undefined) return;
      batch.lastPlace += 1;
      batch.failures.push({ ...failure, place: batch.lastPlace });
    },
    failures: (run, after, limit) =>
      (batches.get(run)?.failures ?? []).filter(({ place }) => place > after).slice(0, limit),
    deleteFailures(run, upTo) {
      const batch = batches.get(run);
      if (batch !== undefined) batch.failures = batch.failures.filter(({ place }) => place > upTo);
    },
  };
}

function found(
  chunks: Map<number, StoredChunk>,
  fits: (chunk: StoredChunk) => boolean,
  limit = Number.POSITIVE_INFINITY,
): StoredChunk[] {
  const copies: StoredChunk[] = [];
  for (const chunk of chunks.values()) {
    if (copies.length >= limit) break;
    if (fits(chunk)) copies.push({ ...chunk });
  }
  return copies;
}
