import { describe, expect } from "vitest";
import type { RunQuery, RunRow, RunStore } from "../../store/run-store.js";
import {
  activate,
  appendOne,
  type ContractTest,
  claimAll,
  claimNew,
  claimOne,
  current,
  first,
  newRun,
  newSignal,
  nextAppend,
  RECORD,
  runId,
} from "./harness.js";

export function querying(test: ContractTest): void {
  describe("queries", () => {
    test("answers for what it does not know", async ({ store }) => {
      expect(await store.get(runId(1))).toBeUndefined();
      expect(await store.journal(runId(1))).toEqual([]);
      expect(await store.checkpoints(runId(1))).toEqual([]);
      expect(await store.list({ limit: 10 })).toEqual({ items: [], nextCursor: null });
      expect([await store.count(), await store.workers(), await store.prune(Number.MAX_SAFE_INTEGER, 10)]).toEqual([
        {},
        [],
        0,
      ]);
    });

    test("filters by each property, and by all together", async ({ store, advance }) => {
      await store.create([newRun(1, { tenant: "t" }), newRun(2, { definition: "d" }), newRun(3, { sessionId: "s" })]);
      await advance(100);
      const since = await store.now();
      await store.create([newRun(4), newRun(5, { tenant: "t", definition: "d", sessionId: "s" })]);
      await activate(store, "w");
      await claimAll(store, "w", 1);
      const ids = async (query: Partial<RunQuery>): Promise<string[]> =>
        (await store.list({ limit: 10, ...query })).items.map((run) => run.id);
      expect(await ids({})).toEqual([5, 4, 3, 2, 1].map(runId));
      expect(await ids({ tenant: "t" })).toEqual([5, 1].map(runId));
      expect(await ids({ definition: "d" })).toEqual([5, 2].map(runId));
      expect(await ids({ sessionId: "s" })).toEqual([5, 3].map(runId));
      expect(await ids({ since })).toEqual([5, 4].map(runId));
      expect(await ids({ status: ["running", "failed"] })).toEqual([runId(1)]);
      expect(await ids({ status: [] })).toEqual([]);
      expect(await ids({ tenant: "t", definition: "d", sessionId: "s", since, status: ["pending"] })).toEqual([
        runId(5),
      ]);
      expect(await ids({ tenant: "nobody" })).toEqual([]);
    });

    test("pages newest first, and shows no run twice while new ones come in", async ({ store }) => {
      await store.create(Array.from({ length: 7 }, (_, index) => newRun(index + 1)));
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const page = await store.list(cursor === null ? { limit: 3 } : { limit: 3, cursor });
        seen.push(...page.items.map((run) => run.id));
        cursor = page.nextCursor;
        await store.create([newRun(100 + seen.length)]);
      } while (cursor !== null);
      expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1].map(runId));
      const last = await store.list({ limit: 7, cursor: runId(8) });
      expect([last.items.length, last.nextCursor]).toEqual([7, null]);
    });

    test("pages a journal", async ({ store }) => {
      const run = await claimOne(store, "w");
      await store.append(Array.from({ length: 1_001 }, (_, index) => nextAppend({ ...run, seq: index })));
      const page = async (...range: [number?, number?]): Promise<number[]> =>
        (await store.journal(run.id, ...range)).map((row) => row.seq);
      expect(await page(2, 3)).toEqual([3, 4, 5]);
      expect(await page(999, 10)).toEqual([1_000, 1_001]);
      expect(await page(1_001)).toEqual([]);
      const all = await page();
      expect([all.length, all[0], all.at(-1)]).toEqual([1_000, 1, 1_000]);
    });

    test("counts runs by status", async ({ store }) => {
      const [a, b] = await claimNew(store, "w", 3);
      if (!a || !b) return expect.unreachable();
      await store.append([
        nextAppend(a, { change: { status: "completed" }, next: { kind: "finish" } }),
        nextAppend(b, { change: { status: "stuck" }, next: { kind: "park", delayMs: null } }),
      ]);
      await store.create([newRun(4), newRun(5)]);
      expect(await store.count()).toEqual({ completed: 1, stuck: 1, running: 1, pending: 2 });
    });

    test("gives copies: what a caller changes afterwards changes nothing in the store", async ({ store }) => {
      const input = { list: [1] };
      const records = [{ ...RECORD }];
      await activate(store, "w");
      await store.create([newRun(1, { input, claim: { worker: "w", appendId: "a", records } })]);
      input.list.push(2);
      records.length = 0;
      const given = (await current(store, runId(1))).input as { list: number[] };
      expect(given).toEqual({ list: [1] });
      given.list.push(3);
      expect((await current(store, runId(1))).input).toEqual({ list: [1] });
      expect((await store.journal(runId(1)))[0]?.records).toEqual([RECORD]);
    });
  });

  describe("prune", () => {
    test("deletes ended runs only, the longest ended first, no more than asked for", async ({ store, advance }) => {
      const runs = await claimNew(store, "w", 5);
      for (const run of runs.slice(0, 4)) {
        await appendOne(store, nextAppend(run, { change: { status: "completed" }, next: { kind: "finish" } }));
        await advance(10);
      }
      const fourthEndedAt = (await current(store, runId(4))).endedAt ?? expect.unreachable();
      expect(await store.prune(fourthEndedAt, 2)).toBe(2);
      expect(await remaining(store)).toEqual([5, 4, 3].map(runId));
      expect(await store.prune(fourthEndedAt, 2)).toBe(1);
      expect(await store.prune(fourthEndedAt, 2)).toBe(0);
      expect(await remaining(store)).toEqual([5, 4].map(runId));
      expect(await store.prune(Number.MAX_SAFE_INTEGER, 100)).toBe(1);
      expect(await remaining(store)).toEqual([runId(5)]);
    });

    test("keeps what a run started until the first of its line has ended", async ({ store, advance }) => {
      await activate(store, "w");
      const family = { rootId: runId(1), parentId: runId(1) };
      await store.create([newRun(1), newRun(2, family), newRun(3, { ...family, parentId: runId(2) })]);
      const runs = (await claimAll(store, "w")).map(({ run }) => run);
      const finish = async (run: RunRow | undefined) => {
        const end = { change: { status: "completed" }, next: { kind: "finish" } } as const;
        await appendOne(store, nextAppend(run ?? newRunRow(), end));
        await advance(10);
      };
      await finish(runs[2]);
      await finish(runs[1]);
      expect(await store.prune(Number.MAX_SAFE_INTEGER, 10)).toBe(0);
      await finish(runs[0]);
      expect(await store.prune(Number.MAX_SAFE_INTEGER, 10)).toBe(3);
    });

    test("deletes all that belongs to a run, its key included", async ({ store, advance }) => {
      await activate(store, "w");
      await store.create([newRun(1, { key: "k" }), newRun(2)]);
      const runs = (await claimAll(store, "w")).map(({ run }) => run);
      await store.signal(runs.map((run) => newSignal(run.id, "s")));
      await store.append(runs.map((run) => nextAppend(run, { checkpoint: { n: 1, keep: 1, context: {} } })));
      await appendOne(
        store,
        nextAppend({ ...(runs[0] ?? newRunRow()), seq: 1 }, { change: { status: "failed" }, next: { kind: "finish" } }),
      );
      await advance(1);
      expect(await store.prune(await store.now(), 100)).toBe(1);
      expect([await store.get(runId(1)), await store.journal(runId(1)), await store.checkpoints(runId(1))]).toEqual([
        undefined,
        [],
        [],
      ]);
      expect(await store.signal([newSignal(runId(1), "s")])).toEqual(["not-found"]);
      expect(first(await store.create([newRun(3, { key: "k" })]))).toMatchObject({ kind: "created" });
      expect([(await store.journal(runId(2))).length, (await store.checkpoints(runId(2))).length]).toEqual([1, 1]);
      expect((await activate(store, "w", [runId(2)])).inbox.length).toBe(1);
    });
  });
}

async function remaining(store: RunStore): Promise<string[]> {
  return (await store.list({ limit: 100 })).items.map((run) => run.id);
}

function newRunRow(): never {
  return expect.fail("expected a claimed run");
}
