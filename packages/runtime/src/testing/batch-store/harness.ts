import { expect, it } from "vitest";
import type {
  AdvanceChunks,
  AdvanceResult,
  BatchLead,
  BatchProgress,
  BatchStore,
  ChunkSpan,
  FailedItem,
  OpenBatch,
  PlantChunks,
  PlantResult,
  SettledChunk,
  TakenChunk,
} from "../../store/batch-store.js";
import type { RunStore } from "../../store/run-store.js";
import {
  activate,
  type ContractBench,
  claimAll,
  current,
  newRun,
  nextAppend,
  type RunStoreTraits,
  runId,
  testWith,
} from "../run-store-contract/harness.js";

export interface BatchBench extends ContractBench {
  readonly batches: BatchStore;
}

export type BatchTest = (title: string, body: (under: BatchBench) => Promise<void>) => void;

export interface BatchTests {
  readonly test: BatchTest;
  /** Where several workers are active at once. */
  readonly several: BatchTest;
}

export function batchTestsWith(traits: RunStoreTraits): BatchTests {
  const runTest = testWith(traits);
  const test: BatchTest = (title, body) =>
    runTest(title, (under) => body({ ...under, batches: batchesOf(under.store) }));
  const skipped: BatchTest = (title) => it.skip(`${title} (not this store: many workers at a time)`, () => undefined);
  return { test, several: traits.singleWorker ? skipped : test };
}

export function batchesOf(store: RunStore): BatchStore {
  return store.batches ?? expect.fail("expected a store with batches");
}

export const RUN = runId(1);
export const WORKER = "w";

export function newBatch(run: string, overrides: Partial<OpenBatch> = {}): OpenBatch {
  return { run, concurrency: 4, maxFailures: 0, maxFailureRatio: null, rateLimit: null, ...overrides };
}

/** A run of the worker's, whose batch is open in its first round. */
export async function opened(store: RunStore, overrides: Partial<OpenBatch> = {}, n = 1): Promise<string> {
  await running(store, n);
  await batchesOf(store).open(newBatch(runId(n), overrides), 1);
  return runId(n);
}

export async function running(store: RunStore, n = 1): Promise<string> {
  await activate(store, WORKER);
  await store.create([newRun(n, { type: "batch" })]);
  expect((await claimAll(store, WORKER)).map(({ run }) => run.id)).toEqual([runId(n)]);
  return runId(n);
}

/** The run's status from here on; it is parked, or has ended. */
export async function become(
  store: RunStore,
  run: string,
  status: "waiting" | "paused" | "stuck" | "completed",
): Promise<void> {
  const row = await current(store, run);
  const next = status === "completed" ? ({ kind: "finish" } as const) : ({ kind: "park", delayMs: null } as const);
  const [result] = await store.append([nextAppend(row, { change: { status }, next })]);
  expect(result?.kind).toBe("appended");
}

/** Places of a source that counts: chunk n lies behind the place n - 1. */
export function spans(count: number, size = 10, first = 1): ChunkSpan[] {
  return Array.from({ length: count }, (_, index) => ({
    from: first + index === 1 ? null : { place: first + index - 1 },
    to: { place: first + index },
    ...{ size, items: null },
  }));
}

export async function led(batches: BatchStore, run: string, worker = WORKER): Promise<BatchLead> {
  return (await batches.lead(run, worker)) ?? expect.fail(`expected ${worker} to lead the batch of ${run}`);
}

export function plantOf(
  run: string,
  lead: BatchLead,
  chunks: readonly ChunkSpan[],
  rest: Partial<PlantChunks> = {},
): PlantChunks {
  const cursor = chunks.at(-1)?.to ?? lead.cursor;
  return {
    ...{ run, fence: lead.fence, first: lead.next, chunks, cursor, isEnd: false, take: 0, worker: WORKER },
    ...rest,
  };
}

/** The worker leads the batch and plants so many chunks more. */
export async function planted(
  batches: BatchStore,
  run: string,
  chunks: readonly ChunkSpan[],
  rest: Partial<PlantChunks> = {},
): Promise<readonly TakenChunk[]> {
  const lead = await led(batches, run, rest.worker);
  const result = await batches.plant(plantOf(run, lead, chunks, rest));
  return takenOf(result);
}

export function takenOf(result: PlantResult): readonly TakenChunk[] {
  return result.kind === "planted" ? result.taken : expect.fail(`expected to have planted, got ${result.kind}`);
}

export function advanced(batches: BatchStore, run: string, rest: Partial<AdvanceChunks> = {}): Promise<AdvanceResult> {
  return batches.advance({ run, worker: WORKER, settled: [], take: 0, holding: [], ...rest });
}

export async function taken(
  batches: BatchStore,
  run: string,
  take: number,
  rest: Partial<AdvanceChunks> = {},
): Promise<readonly TakenChunk[]> {
  return (await advanced(batches, run, { take, ...rest })).taken;
}

export function numbers(chunks: readonly { readonly n: number }[]): number[] {
  return chunks.map(({ n }) => n);
}

/** Its first items failed, as many as said, and all others are done. */
export function settledOf(chunk: TakenChunk, failures = 0, skipped = 0): SettledChunk {
  const failed = Array.from({ length: failures }, (_, index) => failedItem(`${chunk.n}-${index + 1}`));
  return { n: chunk.n, fence: chunk.fence, done: chunk.size - failures - skipped, skipped, failed };
}

export function failedItem(key: string, overrides: Partial<FailedItem> = {}): FailedItem {
  return { key, item: { id: key }, attempts: 3, error: { code: "declined", message: `no ${key}` }, ...overrides };
}

export async function progress(batches: BatchStore, run: string): Promise<BatchProgress> {
  return (await batches.get(run)) ?? expect.fail(`expected a batch of ${run}`);
}

/** Takes and settles whatever there is, until there is nothing. */
export async function workThrough(batches: BatchStore, run: string, worker = WORKER): Promise<void> {
  let settled: SettledChunk[] = [];
  for (;;) {
    const answer = await advanced(batches, run, { worker, settled, take: 100 });
    expect(answer.results).toEqual(settled.map(() => "settled"));
    if (answer.taken.length === 0) return;
    settled = answer.taken.map((chunk) => settledOf(chunk));
  }
}

/** What is active for the worker, of the one definition that there is. */
export function activeFor(batches: BatchStore, worker = WORKER) {
  return batches.active(worker, [{ name: "order", version: "v1" }]);
}
