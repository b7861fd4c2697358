import { describe, expect } from "vitest";
import type { CreateRun, RunStore } from "../../store/run-store.js";
import {
  activate,
  appendOne,
  type ContractTest,
  claimAll,
  current,
  first,
  newRun,
  newSignal,
  nextAppend,
  runId,
} from "./harness.js";
import { claimLimited, waitingRun } from "./queueing.js";

const DELAY_MS = 60_000;
const debounced = (n: number, overrides: Partial<CreateRun> = {}): CreateRun =>
  newRun(n, { delayMs: 5_000, debounce: { key: "k", maxMs: 12_000 }, ...overrides });

/** Claims what is due after that time. */
async function claimAfter(
  { store, advance }: { readonly store: RunStore; advance(ms: number): void | Promise<void> },
  ms: number,
): Promise<string[]> {
  await advance(ms);
  await activate(store, "w");
  return (await claimAll(store, "w")).map(({ run }) => run.id);
}

export function delaying(test: ContractTest): void {
  describe("runs that begin later", () => {
    test("are due exactly then, whatever signals come before", async (under) => {
      const { store, near, tickMs } = under;
      await activate(store, "w");
      const claim = { worker: "w", appendId: "a", records: [] };
      const [created] = await store.create([newRun(1, { delayMs: DELAY_MS, claim })]);
      const startAt = near((await store.now()) + DELAY_MS);
      const row = { status: "pending", owner: null, fence: 0, wakeAt: startAt, startAt, begunAt: null };
      expect(created).toMatchObject({ kind: "created", row: null, run: row });
      expect(await store.get(runId(1))).toEqual(created?.kind === "created" && created.run);
      await store.signal([newSignal(runId(1), "early")]);
      expect(await claimAfter(under, DELAY_MS - tickMs)).toEqual([]);
      expect(await claimAfter(under, tickMs)).toEqual([runId(1)]);
      const now = near(await store.now());
      expect(await store.get(runId(1))).toMatchObject({ status: "running", startAt, begunAt: now, wakeAt: null });
    });

    test("are created many in one call, each with its time", async (under) => {
      await activate(under.store, "w");
      await under.store.create([newRun(1), newRun(2, { delayMs: 20_000 }), newRun(3, { delayMs: 0 }), waitingRun(4)]);
      expect(await claimAfter(under, 0)).toEqual([runId(1), runId(3), runId(4)]);
      expect(await claimAfter(under, 22_000)).toEqual([runId(2)]);
    });

    test("are taken at once when an operator asks for something", async ({ store }) => {
      await activate(store, "w");
      await store.create([newRun(1, { delayMs: DELAY_MS })]);
      await store.signal([newSignal(runId(1), "cancel", { kind: "verb", name: "cancel" })]);
      expect(first(await claimAll(store, "w"))).toMatchObject({ run: { id: runId(1) }, inbox: [{ id: "cancel" }] });
    });

    test("stand in line when they are due, if their queue is limited", async (under) => {
      const { store, advance } = under;
      await activate(store, "w");
      await store.create([waitingRun(1, { delayMs: 5_000 }), waitingRun(2, { delayMs: 5_000 })]);
      const queues = [{ queue: "mail", concurrency: 1, concurrencyPerKey: null, rateLimit: null }];
      expect(await claimLimited(store, queues)).toEqual([]);
      await advance(7_000);
      const { run } = first(await claimLimited(store, queues));
      expect(run.id).toBe(runId(1));
      expect(await claimLimited(store, queues)).toEqual([]);
      await appendOne(store, nextAppend(run, { change: { status: "completed" }, next: { kind: "finish" } }));
      expect(first(await claimLimited(store, queues)).run.id).toBe(runId(2));
    });
  });

  describe("debounced runs", () => {
    test("go into the one that waits, also when its id is of a clock that is behind", async (under) => {
      const { store } = under;
      await activate(store, "w");
      await store.create([debounced(9)]);
      expect(await claimAfter(under, 5_000)).toEqual([runId(9)]);
      expect(await store.create([debounced(3)])).toMatchObject([{ kind: "created", run: { id: runId(3) } }]);
      expect(await store.create([debounced(10)])).toMatchObject([{ kind: "existing", run: { id: runId(3) } }]);
    });

    test("take in what is started with their key until they begin: one run, the last input", async (under) => {
      const { store, near, advance } = under;
      await activate(store, "w");
      const [created] = await store.create([debounced(1)]);
      const startAt = (await store.now()) + 5_000;
      expect(created).toMatchObject({ kind: "created", run: { id: runId(1), startAt: near(startAt) } });
      await advance(4_000);
      const later = { inputHash: "other", input: { n: "two" }, attributes: { a: "b" }, priority: 3, businessKey: "b" };
      const [joined] = await store.create([debounced(2, later)]);
      const moved = { ...later, id: runId(1), startAt: near(startAt + 4_000), wakeAt: near(startAt + 4_000) };
      expect(joined).toMatchObject({ kind: "existing", run: moved });
      expect(await store.get(runId(2))).toBeUndefined();
      expect(await store.list({ attributes: { a: "b" }, limit: 9 })).toMatchObject({ items: [{ id: runId(1) }] });
      expect(await claimAfter(under, 2_000)).toEqual([]);
      expect(await claimAfter(under, 3_000)).toEqual([runId(1)]);
      expect(await store.get(runId(1))).toMatchObject({ ...later, status: "running" });
      expect(await store.create([debounced(3)])).toMatchObject([{ kind: "created", run: { id: runId(3) } }]);
    });

    test("are not put off longer than they may be, even when they are due already", async (under) => {
      const { store, near, advance } = under;
      const [created] = await store.create([debounced(1, { delayMs: 10_000 })]);
      if (created?.kind !== "created") return expect.unreachable();
      const latest = near(created.run.createdAt + 12_000);
      await advance(8_000);
      expect(await store.create([debounced(2, { delayMs: 10_000 })])).toMatchObject([{ run: { startAt: latest } }]);
      await advance(6_000);
      expect(await store.create([debounced(3)])).toMatchObject([{ run: { id: runId(1), startAt: latest } }]);
      expect(await claimAfter(under, 0)).toEqual([runId(1)]);
      const [unbounded] = await store.create([debounced(4, { debounce: { key: "k", maxMs: null } })]);
      await advance(1_000_000);
      const [put] = await store.create([debounced(5, { debounce: { key: "k", maxMs: null } })]);
      expect([unbounded, put]).toMatchObject([{ kind: "created" }, { kind: "existing", run: { id: runId(4) } }]);
      expect(await claimAfter(under, 1_000)).toEqual([]);
    });

    test("are one for each key, definition and tenant", async ({ store }) => {
      const results = await store.create([
        debounced(1),
        debounced(2, { debounce: { key: "other", maxMs: null } }),
        debounced(3, { definition: "other" }),
        debounced(4, { tenant: "other" }),
        debounced(5),
      ]);
      expect(results.map((result) => "run" in result && result.run.id)).toEqual([1, 2, 3, 4, 1].map(runId));
    });

    test("are one for many who start at once", async ({ store }) => {
      const calls = Array.from({ length: 20 }, (_, n) => store.create([debounced(n + 1, { input: { n } })]));
      const results = (await Promise.all(calls)).map(first);
      const ids = new Set(results.map((result) => "run" in result && result.run.id));
      expect(ids.size).toBe(1);
      expect(results.filter(({ kind }) => kind === "created").length).toBe(1);
      expect((await store.list({ limit: 30 })).items.length).toBe(1);
    });

    test("recognize a create that is sent again, also after they began", async (under) => {
      const { store, advance } = under;
      await store.create([debounced(1)]);
      await store.create([debounced(2, { input: { n: "two" }, inputHash: "two" })]);
      await advance(2_000);
      const before = await current(store, runId(1));
      for (const n of [1, 2])
        expect(await store.create([debounced(n, { inputHash: `${n}` })])).toMatchObject([
          { kind: "existing", run: before },
        ]);
      expect(await claimAfter(under, 5_000)).toEqual([runId(1)]);
      for (const n of [1, 2])
        expect(await store.create([debounced(n)])).toMatchObject([{ kind: "existing", run: { id: runId(1) } }]);
      expect((await store.list({ limit: 9 })).items.length).toBe(1);
    });

    test("take nothing in once an operator asked for something", async ({ store }) => {
      await activate(store, "w");
      await store.create([debounced(1)]);
      await store.signal([newSignal(runId(1), "cancel", { kind: "verb", name: "cancel" })]);
      expect(await store.create([debounced(2)])).toMatchObject([{ kind: "created", run: { id: runId(2) } }]);
      expect(first(await claimAll(store, "w"))).toMatchObject({ run: { id: runId(1), input: { n: 1 } } });
    });

    test("leave the line of their queue when they are put off", async ({ store, advance }) => {
      await activate(store, "w");
      const one = (n: number) => waitingRun(n, { delayMs: 5_000, debounce: { key: "k", maxMs: null } });
      const queues = [{ queue: "mail", concurrency: 1, concurrencyPerKey: null, rateLimit: null }];
      await store.create([waitingRun(9)]);
      const { run } = first(await claimLimited(store, queues));
      await store.create([one(1)]);
      await advance(7_000);
      await activate(store, "w", [run.id]);
      expect(await claimLimited(store, queues)).toEqual([]);
      await store.create([one(2)]);
      await appendOne(store, nextAppend(run, { change: { status: "completed" }, next: { kind: "finish" } }));
      expect(await claimLimited(store, queues)).toEqual([]);
      await advance(7_000);
      await activate(store, "w");
      expect(first(await claimLimited(store, queues)).run.id).toBe(runId(1));
    });

    test("are refused with a key of their own, and with times that are none", async ({ store }) => {
      const bad = [
        debounced(1, { key: "k" }),
        debounced(2, { debounce: { key: "", maxMs: null } }),
        newRun(3, { delayMs: -1 }),
      ];
      const results = await store.create([...bad, newRun(4, { delayMs: 0.5 }), newRun(5)]);
      expect(results.map(({ kind }) => kind)).toEqual([...new Array(4).fill("rejected"), "created"]);
    });
  });
}
