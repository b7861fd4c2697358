import { expect } from "vitest";
import { SeededRandom } from "../../simulation/seeded-random.js";
import type {
  AdvanceChunks,
  BatchLead,
  ChunkSpan,
  PlantChunks,
  SettledChunk,
  TakenChunk,
} from "../../store/batch-store.js";
import type { RunStore } from "../../store/run-store.js";
import { claimAll, LEASE_MS, nextAppend, renewed } from "../run-store-contract/harness.js";
import type { RunStoreUnderTest } from "../run-store-contract.js";
import { batchesOf, failedItem, newBatch, RUN, running } from "./harness.js";

/** What a worker knows; its calls are made from that. */
interface Worker {
  id: string;
  held: TakenChunk[];
  lead: BatchLead | null;
  planting: PlantChunks | null;
  advancing: AdvanceChunks | null;
}

const SIZE = 4;

/**
 * Random calls by seed, each made of several stores alike, whose clocks stand still: all give the same answers. And what the answers say of
 * the chunks is judged: none is lost, none is counted twice, and the counts add up. Calls are sent twice, workers die, and their late calls come.
 */
export async function sameAnswers(
  stores: readonly RunStoreUnderTest[],
  seed: number,
  workerCount: number,
): Promise<void> {
  const random = new SeededRandom(seed);
  const pick = <T>(choices: readonly T[]): T => random.pick(choices);
  const upTo = (most: number): number => random.below(most + 1);
  const startedAt = await Promise.all(stores.map(({ store }) => store.now()));
  const workers = Array.from({ length: workerCount }, (_, index): Worker => newWorker(`w${index}`));
  const late: Worker[] = [];
  /** Counted by the answers. */
  const told = { settled: 0, failed: 0, planted: 0, requeued: 0 };
  const settledAs = new Set<string>();

  /** Times are told from the beginning. */
  const relative = (answer: unknown, from: number): unknown =>
    JSON.parse(
      JSON.stringify(answer ?? null, (key, value) =>
        /At$/.test(key) && typeof value === "number" ? value - from : value,
      ),
    );
  const all = async <T>(what: string, call: (store: RunStore) => Promise<T>): Promise<T> => {
    const answers: T[] = [];
    for (const { store } of stores) answers.push(await call(store));
    const [first] = answers;
    for (const [index, answer] of answers.entries())
      expect(relative(answer, startedAt[index] ?? 0), `seed ${seed}: ${what}`).toEqual(
        relative(first, startedAt[0] ?? 0),
      );
    return first as T;
  };

  const calls: Readonly<Record<string, (worker: Worker) => Promise<void>>> = {
    async renew(worker) {
      const { kind } = await all("renew", async (store) => ({ kind: (await renewed(store, worker.id)).kind }));
      if (kind !== "dead") return;
      late.push({ ...worker });
      Object.assign(worker, newWorker(`${worker.id}+`));
    },
    async lead(worker) {
      worker.lead = await all("lead", (store) => batchesOf(store).lead(RUN, worker.id));
    },
    async plant(worker) {
      if (worker.lead === null) return;
      const chunks = Array.from({ length: upTo(3) }, (_, index): ChunkSpan => {
        const place = (worker.lead?.next ?? 1) + index;
        const items = pick([true, false])
          ? Array.from({ length: SIZE }, (__, item) => ({ key: `${place}-${item}`, item }))
          : null;
        return { from: place - 1, to: place, size: SIZE, items };
      });
      const { fence, next: first } = worker.lead;
      const rest = { cursor: first + chunks.length, isEnd: upTo(9) === 0, take: upTo(2), worker: worker.id };
      worker.planting = { run: RUN, fence, first, chunks, ...rest };
      await calls.plantAgain?.(worker);
    },
    async plantAgain(worker) {
      const { planting } = worker;
      if (planting === null) return;
      const before = await all("get", (store) => batchesOf(store).get(RUN));
      const result = await all("plant", (store) => batchesOf(store).plant(planting));
      const after = await all("get", (store) => batchesOf(store).get(RUN));
      if (before?.planted !== after?.planted) for (const { size } of planting.chunks) told.planted += size;
      if (result.kind !== "planted") worker.lead = null;
      else {
        worker.held.push(...result.taken);
        if (worker.lead?.next === planting.first)
          worker.lead = { ...worker.lead, next: planting.first + planting.chunks.length };
      }
    },
    async advance(worker) {
      const settled = worker.held.filter(() => pick([true, false]));
      const kept = worker.held.filter((chunk) => !settled.includes(chunk) && upTo(9) > 0);
      worker.advancing = {
        ...{ run: RUN, worker: worker.id, settled: settled.map((chunk) => settlingOf(chunk, upTo(12))) },
        ...{ take: upTo(3), holding: kept.map(({ n }) => n) },
      };
      worker.held = kept;
      await calls.advanceAgain?.(worker);
    },
    async advanceAgain(worker) {
      const { advancing } = worker;
      if (advancing === null) return;
      const { results, taken } = await all("advance", (store) => batchesOf(store).advance(advancing));
      for (const [index, result] of results.entries()) {
        const chunk = advancing.settled[index];
        if (result === "lost" || chunk === undefined) continue;
        expect(settledAs.has(`${chunk.n}`), `seed ${seed}: chunk ${chunk.n} is counted twice`).toBe(false);
        settledAs.add(`${chunk.n}`);
        told.settled += chunk.done + chunk.skipped + chunk.failed.length;
        told.failed += chunk.failed.length;
      }
      const known = new Set(worker.held.map(({ n }) => n));
      worker.held.push(...taken.filter(({ n }) => !known.has(n)));
    },
    async mark(worker) {
      const [chunk] = worker.held;
      const key = pick(["a", "b", null]);
      if (chunk !== undefined) await all("mark", (store) => batchesOf(store).mark(chunk, key));
    },
    async late() {
      const dead = late.pop();
      if (dead === undefined) return;
      await calls.plantAgain?.(dead);
      await calls.advanceAgain?.(dead);
      await calls.lead?.(dead);
    },
    async pass() {
      const ms = pick([1, 49, 51, 400, 5_000, LEASE_MS]);
      for (const { advance } of stores) await advance(ms);
    },
    async retire(worker) {
      if (upTo(3) > 0) return;
      await all("retire", (store) => store.retire(worker.id));
    },
    async halt(worker) {
      const fence = worker.lead?.fence;
      if (fence !== undefined && upTo(5) === 0)
        await all("halt", (store) => batchesOf(store).halt(RUN, fence, { code: "source-failed", message: "gone" }));
    },
    async requeue() {
      const limit = upTo(2);
      told.requeued += await all("requeue", (store) => batchesOf(store).requeue(RUN, limit, "again"));
    },
    async open() {
      const round = 1 + upTo(20);
      await all("open", (store) => batchesOf(store).open(newBatch(RUN), round));
    },
    async tell() {
      const [active] = await all("active", (store) => batchesOf(store).active("w0", REFS));
      const round = (active?.round ?? 1) - upTo(1);
      if (active?.untold) await all("told", (store) => batchesOf(store).told(RUN, round));
    },
    async pause(worker) {
      await setStatus(worker, pick(["paused", "waiting", "waiting"]));
    },
  };
  const names = Object.keys(calls);

  const setStatus = async (worker: Worker, status: "paused" | "waiting"): Promise<void> => {
    await calls.renew?.(worker);
    await all("set the run's status", async (store) => {
      const [claimed] = await claimAll(store, worker.id);
      if (claimed === undefined) return;
      const next = { kind: "park", delayMs: 0 } as const;
      const [result] = await store.append([nextAppend(claimed.run, { change: { status }, next })]);
      return result?.kind;
    });
  };

  for (const { store } of stores) await running(store);
  const options = newBatch(RUN, {
    ...{ concurrency: 1 + upTo(5), maxFailures: pick([0, 3, null]), maxFailureRatio: pick([null, null, 0.1]) },
    rateLimit: pick([null, null, { max: 10, windowMs: 1_000 }]),
  });
  await all("open", (store) => batchesOf(store).open(options, 1));
  for (let step = 0; step < 80; step += 1) {
    const worker = pick(workers);
    // Most of the time that which makes it go on.
    const name = pick([...names, "renew", "renew", "lead", "plant", "plant", "advance", "advance", "advance"]);
    await calls[name]?.(worker);
    await lookAt();
  }

  async function lookAt(): Promise<void> {
    await all("get", (store) => batchesOf(store).get(RUN));
    for (const { id } of workers) await all("active", (store) => batchesOf(store).active(id, REFS));
    await all("failures", (store) =>
      batchesOf(store)
        .failures(RUN, { limit: 100 })
        .then(({ items }) => items),
    );
  }

  // Whatever became of it, it can be brought to its end.
  const [last] = workers;
  if (last === undefined) return;
  for (let tries = 0; ; tries += 1) {
    expect(tries, `seed ${seed}: the batch does not end`).toBeLessThan(200);
    for (const { advance } of stores) await advance(LEASE_MS);
    await setStatus(last, "waiting");
    await all("open", (store) => batchesOf(store).open(newBatch(RUN), 100 + tries));
    await calls.lead?.(last);
    if (last.lead !== null) {
      const { fence, next: first } = last.lead;
      last.planting = { run: RUN, fence, first, chunks: [], cursor: first, isEnd: true, take: 0, worker: last.id };
      await calls.plantAgain?.(last);
    }
    last.advancing = {
      ...{ run: RUN, worker: last.id, settled: last.held.map((chunk) => settlingOf(chunk, 9)), take: 5, holding: [] },
    };
    last.held = [];
    await calls.advanceAgain?.(last);
    if ((await all("get", (store) => batchesOf(store).get(RUN)))?.status === "ended") break;
  }
  const end = await all("get", (store) => batchesOf(store).get(RUN));
  if (end === undefined) return expect.unreachable();
  const { planted, done, failed, skipped, openChunks, ownedChunks } = end;
  expect({ openChunks, ownedChunks, settled: done + failed + skipped }, `seed ${seed}`).toEqual({
    ...{ openChunks: 0, ownedChunks: 0, settled: planted },
  });
  expect({ planted: told.planted, settled: told.settled - told.requeued, failed: told.failed - told.requeued }).toEqual(
    {
      ...{ planted, settled: planted, failed },
    },
  );
}

const REFS = [{ name: "order", version: "v1" }];

function newWorker(id: string): Worker {
  return { id, held: [], lead: null, planting: null, advancing: null };
}

/** `luck` from 0 to 12: few chunks have items that fail, or that need nothing. */
function settlingOf({ n, fence, size }: TakenChunk, luck: number): SettledChunk {
  const failed = luck < 2 ? [failedItem(`${n}-${luck}`)] : [];
  const skipped = luck === 3 ? 1 : 0;
  return { n, fence, done: size - skipped - failed.length, skipped, failed };
}
