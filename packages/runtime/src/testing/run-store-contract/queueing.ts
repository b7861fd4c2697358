import { describe, expect } from "vitest";
import type { QueueLimit } from "../../store/queue-limit.js";
import type { ClaimedRun, CreateRun, RunStore } from "../../store/run-store.js";
import {
  activate,
  appendOne,
  type ContractTest,
  current,
  DEFINITION,
  first,
  LEASE_MS,
  newRun,
  newSignal,
  nextAppend,
  type RunStoreTraits,
  runId,
} from "./harness.js";

const QUEUE = "mail";
const limited = (limit: Partial<QueueLimit>, queue = QUEUE): QueueLimit => ({
  ...{ queue, concurrency: null, concurrencyPerKey: null, rateLimit: null },
  ...limit,
});
const ONE = limited({ concurrency: 1 });
const ends = { change: { status: "completed" }, next: { kind: "finish" } } as const;

export const waitingRun = (n: number, overrides: Partial<CreateRun> = {}): CreateRun =>
  newRun(n, { queue: QUEUE, limited: true, ...overrides });

export async function claimLimited(
  store: RunStore,
  queues: readonly QueueLimit[],
  { worker = "w", limit = 100 } = {},
): Promise<ClaimedRun[]> {
  return store.claim({ worker, definitions: [DEFINITION], limit, queues });
}

const idsOf = (claimed: readonly ClaimedRun[]): string[] => claimed.map(({ run }) => run.id);

export function queueing(test: ContractTest, { singleWorker }: RunStoreTraits): void {
  describe("queues", () => {
    test("begin no more runs than they have places, the highest priority first, then the oldest", async ({ store }) => {
      await activate(store, "w");
      const priorities = [0, 5, 0, 5, 1];
      await store.create(priorities.map((priority, index) => waitingRun(index + 1, { priority })));
      expect(idsOf(await claimLimited(store, [limited({ concurrency: 3 })]))).toEqual([runId(2), runId(4), runId(5)]);
      expect(await claimLimited(store, [limited({ concurrency: 3 })])).toEqual([]);
      expect(idsOf(await claimLimited(store, [limited({ concurrency: 4 })]))).toEqual([runId(1)]);
    });

    test("tell of a run in line that it is due, and when it began once it has", async ({ store, advance, near }) => {
      await activate(store, "w");
      const claim = { worker: "w", appendId: "a", records: [] };
      const [created] = await store.create([waitingRun(1, { claim, partitionKey: "k" })]);
      const now = await store.now();
      const row = { status: "pending", owner: null, fence: 0, queue: QUEUE, partitionKey: "k", wakeAt: near(now) };
      expect(created).toMatchObject({ kind: "created", row: null, run: { ...row, startAt: null, begunAt: null } });
      expect(await store.get(runId(1))).toEqual(created?.kind === "created" && created.run);
      await advance(5_000);
      const { run } = first(await claimLimited(store, [ONE]));
      expect(run).toMatchObject({ status: "running", owner: "w", fence: 1, wakeAt: null });
      expect(run).toMatchObject({ startAt: null, begunAt: near(now + 5_000) });
      expect(await store.get(runId(1))).toEqual(run);
    });

    test("give a place to the next run when one ends, or is stuck or paused, and not while one waits", async ({
      store,
      advance,
      tickMs,
    }) => {
      await activate(store, "w");
      await store.create([1, 2, 3, 4].map((n) => waitingRun(n)));
      const { run } = first(await claimLimited(store, [ONE]));
      const waits = { change: { status: "waiting" }, next: { kind: "park", delayMs: 5_000 } } as const;
      await appendOne(store, nextAppend(run, waits));
      expect(await claimLimited(store, [ONE])).toEqual([]);
      await advance(5_000 + tickMs - 1);
      const again = first(await claimLimited(store, [ONE])).run;
      expect(again).toMatchObject({ id: run.id, fence: 2 });
      await appendOne(store, nextAppend(again, ends));
      const second = first(await claimLimited(store, [ONE])).run;
      expect(second.id).toBe(runId(2));
      const parks = (status: "stuck" | "paused") =>
        ({ change: { status }, next: { kind: "park", delayMs: null } }) as const;
      await appendOne(store, nextAppend(second, parks("stuck")));
      const third = first(await claimLimited(store, [ONE])).run;
      expect(third.id).toBe(runId(3));
      await appendOne(store, nextAppend(third, parks("paused")));
      expect(idsOf(await claimLimited(store, [ONE]))).toEqual([runId(4)]);
    });

    test("count a run that an operator leads on, and begin no other until there is room", async ({ store }) => {
      await activate(store, "w");
      await store.create([1, 2, 3].map((n) => waitingRun(n)));
      const { run } = first(await claimLimited(store, [ONE]));
      await appendOne(store, nextAppend(run, { change: { status: "paused" }, next: { kind: "park", delayMs: null } }));
      const second = first(await claimLimited(store, [ONE])).run;
      await store.signal([newSignal(run.id, "s", { kind: "verb", name: "resume" })]);
      const resumed = first(await claimLimited(store, [ONE])).run;
      expect(resumed).toMatchObject({ id: run.id, status: "paused" });
      await appendOne(store, nextAppend(resumed, { change: { status: "running" }, consumed: ["s"] }));
      await appendOne(store, nextAppend(second, ends));
      expect(await claimLimited(store, [ONE])).toEqual([]);
      await appendOne(store, nextAppend({ ...resumed, seq: resumed.seq + 1 }, ends));
      expect(idsOf(await claimLimited(store, [ONE]))).toEqual([runId(3)]);
    });

    test("keep the places of an instance that died until it is taken over, and then for its runs", async ({
      store,
      advance,
    }) => {
      await activate(store, "dies");
      await store.create([1, 2].map((n) => waitingRun(n)));
      const { run } = first(await claimLimited(store, [ONE], { worker: "dies" }));
      if (!singleWorker) {
        await activate(store, "w");
        expect(await claimLimited(store, [ONE])).toEqual([]);
      }
      await advance(LEASE_MS);
      await activate(store, "w");
      const taken = first(await claimLimited(store, [ONE]));
      expect(taken.run).toMatchObject({ id: run.id, fence: 2 });
      await appendOne(store, nextAppend(taken.run, ends));
      expect(idsOf(await claimLimited(store, [ONE]))).toEqual([runId(2)]);
    });

    test("that are full hide neither other queues nor runs without limits", async ({ store }) => {
      await activate(store, "w");
      const line = Array.from({ length: 50 }, (_, index) => waitingRun(index + 1, { priority: 9 }));
      const others = [newRun(60), waitingRun(61, { queue: "slow" }), waitingRun(62, { queue: "forgotten" })];
      await store.create([...line, ...others, newRun(63, { queue: QUEUE })]);
      const limits = [ONE, limited({ concurrency: 1 }, "slow")];
      const claimed = idsOf(await claimLimited(store, limits, { limit: 10 }));
      // One of a queue that nobody limits any more begins; one that was never limited needs no place, whatever its queue.
      expect(claimed).toEqual([runId(1), runId(60), runId(61), runId(62), runId(63)]);
    });

    test("leave alone, and hide nothing behind, runs of definitions that the worker does not have", async ({
      store,
    }) => {
      await activate(store, "w");
      await store.create([waitingRun(1, { version: "v9" }), waitingRun(2)]);
      expect(idsOf(await claimLimited(store, [ONE]))).toEqual([runId(2)]);
    });

    test("share their places by key, and let the runs of other keys pass a key that is full", async ({ store }) => {
      await activate(store, "w");
      const keys = ["a", "a", "a", "b", null, null, "b", "b"];
      await store.create(keys.map((partitionKey, index) => waitingRun(index + 1, { partitionKey })));
      const limit = limited({ concurrency: 6, concurrencyPerKey: 2 });
      const claimed = await claimLimited(store, [limit]);
      expect(idsOf(claimed)).toEqual([1, 2, 4, 5, 6, 7].map(runId));
      const [firstOfA, , firstOfB] = claimed;
      if (!firstOfA || !firstOfB) return expect.unreachable();
      await appendOne(store, nextAppend(firstOfB.run, ends));
      expect(idsOf(await claimLimited(store, [limit]))).toEqual([runId(8)]);
      await appendOne(store, nextAppend(firstOfA.run, ends));
      expect(idsOf(await claimLimited(store, [limit]))).toEqual([runId(3)]);
    });

    test("find the runs of other keys behind a thousand of one that is full", async ({ store }) => {
      await activate(store, "w");
      const line = Array.from({ length: 1_000 }, (_, index) => waitingRun(index + 1, { partitionKey: "m" }));
      const behind = ["z", null, "a"].map((partitionKey, index) => waitingRun(2_000 + index, { partitionKey }));
      await store.create([...line, ...behind]);
      const claimed = await claimLimited(store, [limited({ concurrencyPerKey: 1 })]);
      expect(idsOf(claimed)).toEqual([runId(1), ...[2_000, 2_001, 2_002].map(runId)]);
      expect(await claimLimited(store, [limited({ concurrencyPerKey: 1 })])).toEqual([]);
    });

    test("come to every key in the end, however many there are", async ({ store }) => {
      await activate(store, "w");
      const perKey = limited({ concurrencyPerKey: 1 });
      const full = Array.from({ length: 600 }, (_, index) => waitingRun(index + 1, { partitionKey: "full" }));
      const keys = Array.from({ length: 2_500 }, (_, n) => `k${n}`);
      await store.create([...full, ...keys.map((key, n) => waitingRun(1_000 + n, { partitionKey: key }))]);
      const begun = new Set<string | null>();
      for (let round = 0; round < 40; round++)
        for (const { run } of await claimLimited(store, [perKey])) begun.add(run.partitionKey);
      expect(begun.size).toBe(2_501);
    });

    test("begin no more runs in any window than their rate says, and tell how long the next one waits", async ({
      store,
      advance,
      tickMs,
    }) => {
      await activate(store, "w");
      await store.create([1, 2, 3, 4, 5].map((n) => waitingRun(n)));
      const waits: number[] = [];
      const claim = async (limit = 100): Promise<string[]> => {
        const queues = [limited({ rateLimit: { max: 2, windowMs: 60_000 } })];
        return idsOf(
          await store.claim({
            ...{ worker: "w", definitions: [DEFINITION], limit, queues },
            onWait: (ms) => waits.push(ms),
          }),
        );
      };
      expect(await claim(1)).toEqual([runId(1)]);
      expect(waits).toEqual([]);
      await advance(20_000);
      await activate(store, "w", [runId(1)]);
      expect(await claim()).toEqual([runId(2)]);
      expect(waits.pop()).toSatisfy((ms: number) => ms <= 40_000 && ms >= 40_000 - tickMs);
      expect(await claim()).toEqual([]);
      await advance(40_000 - tickMs);
      await activate(store, "w", [runId(1), runId(2)]);
      expect(await claim()).toEqual([]);
      await advance(tickMs);
      expect(await claim()).toEqual([runId(3)]);
      await advance(20_000);
      await activate(store, "w", [runId(1), runId(2), runId(3)]);
      expect(await claim()).toEqual([runId(4)]);
      // What ends gives no start back.
      await appendOne(store, nextAppend({ ...(await current(store, runId(4))) }, ends));
      expect(await claim()).toEqual([]);
    });

    test("let an operator's verb through to a run in line, and no other message", async ({ store }) => {
      await activate(store, "w");
      await store.create([1, 2, 3].map((n) => waitingRun(n)));
      const { run } = first(await claimLimited(store, [ONE]));
      await store.signal([
        newSignal(runId(2), "early"),
        newSignal(runId(3), "cancel", { kind: "verb", name: "cancel" }),
      ]);
      const called = first(await claimLimited(store, [ONE]));
      expect(called).toMatchObject({ run: { id: runId(3) }, inbox: [{ id: "cancel" }] });
      await appendOne(
        store,
        nextAppend(called.run, { ...ends, change: { status: "cancelled" }, consumed: ["cancel"] }),
      );
      expect(await claimLimited(store, [ONE])).toEqual([]);
      await appendOne(store, nextAppend(run, ends));
      expect(first(await claimLimited(store, [ONE]))).toMatchObject({
        run: { id: runId(2) },
        inbox: [{ id: "early" }],
      });
    });

    test("tell how they stand", async ({ store, advance, near }) => {
      await activate(store, "w");
      const of = async (limit: QueueLimit) => first(await store.queues([limit]));
      expect(await of(ONE)).toEqual({ queue: QUEUE, waiting: 0, delayed: 0, running: 0, nextStartAt: null });
      await store.create([waitingRun(1), waitingRun(2), waitingRun(3, { delayMs: 60_000 })]);
      const now = await store.now();
      const counts = { queue: QUEUE, waiting: 2, delayed: 1, running: 0 };
      expect(await of(ONE)).toEqual({ ...counts, nextStartAt: near(now) });
      await claimLimited(store, [ONE]);
      expect(await of(ONE)).toEqual({ ...counts, waiting: 1, running: 1, nextStartAt: null });
      const rated = limited({ rateLimit: { max: 1, windowMs: 5_000 } });
      expect(await of(rated)).toEqual({ ...counts, waiting: 1, running: 1, nextStartAt: near(now + 5_000) });
      await advance(5_000);
      await claimLimited(store, [rated]);
      expect(await of(limited({}))).toEqual({ ...counts, waiting: 0, running: 2, nextStartAt: near(now + 60_000) });
      await advance(60_000);
      expect(await of(limited({}))).toMatchObject({ waiting: 1, delayed: 0 });
    });

    test("list their runs", async ({ store }) => {
      await store.create([newRun(1), waitingRun(2), newRun(3, { queue: QUEUE }), waitingRun(4, { queue: "other" })]);
      const listed = async (queue: string) => (await store.list({ queue, limit: 10 })).items.map(({ id }) => id);
      expect(await listed(QUEUE)).toEqual([runId(3), runId(2)]);
      expect(await listed("default")).toEqual([runId(1)]);
      expect(await listed("none")).toEqual([]);
    });
  });
}
