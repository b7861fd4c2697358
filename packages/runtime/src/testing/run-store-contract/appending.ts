import { describe, expect } from "vitest";
import type { Append } from "../../store/run-store.js";
import {
  activate,
  appendOne,
  type ContractTest,
  claimAll,
  claimNew,
  claimOne,
  current,
  DEFINITION,
  everythingOf,
  LEASE_MS,
  newSignal,
  nextAppend,
  POISON,
  RECORD,
  runId,
} from "./harness.js";

export function appending(test: ContractTest): void {
  describe("append", () => {
    test("writes one row at the store's time and applies the change", async ({ store, advance, near }) => {
      const run = await claimOne(store, "w");
      await advance(5);
      const before = await store.now();
      const failure = { code: "declined", message: "no", status: 402 };
      const append = nextAppend(run, {
        records: [RECORD, { kind: "compensated", step: "pay", attempt: 1 }],
        change: { status: "compensating", failureReason: failure },
      });
      const result = await appendOne(store, append);
      expect(result).toEqual({ kind: "appended", at: near(before), parked: false });
      const at = result.kind === "appended" && result.at;
      const { appendId, records } = append;
      expect(await store.journal(run.id)).toEqual([{ v: 1, run: run.id, seq: 1, fence: 1, appendId, at, records }]);
      expect(await store.get(run.id)).toEqual({
        ...run,
        status: "compensating",
        failureReason: failure,
        seq: 1,
        updatedAt: at,
      });
    });

    test("leaves what a change does not mention, and takes null as a value", async ({ store }) => {
      const run = await claimOne(store, "w");
      const changes: Append["change"][] = [
        { failureReason: { code: "a", message: "b" }, rollbackStatus: "running", output: { total: 1 } },
        {},
        { status: "stuck" },
        { failureReason: null, output: null },
      ];
      const seen: unknown[] = [];
      for (const [index, change] of changes.entries()) {
        await appendOne(store, nextAppend({ ...run, seq: index }, { change: change ?? {} }));
        const { status, failureReason, rollbackStatus, output } = await current(store, run.id);
        seen.push([status, failureReason?.code, rollbackStatus, output]);
      }
      expect(seen).toEqual([
        ["running", "a", "running", { total: 1 }],
        ["running", "a", "running", { total: 1 }],
        ["stuck", "a", "running", { total: 1 }],
        ["stuck", undefined, "running", null],
      ]);
    });

    test("tells the wrong fence and the wrong seq that the lease is lost, and changes nothing", async ({ store }) => {
      const run = await claimOne(store, "w");
      await store.signal([newSignal(run.id, "s")]);
      await appendOne(store, nextAppend(run, { change: { output: 1 } }));
      const before = await everythingOf(store, run.id);
      const effects: Partial<Append> = {
        change: { status: "stuck", output: 2 },
        consumed: ["s"],
        checkpoint: { n: 1, context: {}, keep: 9 },
      };
      const next = { ...run, seq: 1 };
      const results = await store.append([
        nextAppend({ ...next, fence: 2 }, effects),
        nextAppend({ ...next, seq: 0 }, { ...effects, appendId: "another" }),
        nextAppend({ ...next, seq: 2 }, { ...effects, next: { kind: "park", delayMs: 0 } }),
        nextAppend({ ...next, id: runId(99) }, effects),
      ]);
      expect(results.map((result) => result.kind)).toEqual(["lease-lost", "lease-lost", "lease-lost", "lease-lost"]);
      expect(await everythingOf(store, run.id)).toEqual(before);
      expect((await activate(store, "w", [run.id])).inbox.map((entry) => entry.id)).toEqual(["s"]);
    });

    test("fences off the previous owner once the run was claimed by another", async ({ store, advance }) => {
      const run = await claimOne(store, "old");
      expect(await appendOne(store, nextAppend(run))).toMatchObject({ kind: "appended" });
      await advance(LEASE_MS);
      await activate(store, "new");
      const [taken] = await claimAll(store, "new");
      // The next place of its journal as the old owner knows it, and the one after.
      for (const seq of [1, 2])
        expect(await appendOne(store, nextAppend({ ...run, seq }))).toEqual({ kind: "lease-lost" });
      // Nor does it end the run that is no longer its own.
      const end = { change: { status: "completed", output: "stale" }, next: { kind: "finish" } } as const;
      expect(await appendOne(store, nextAppend({ ...run, seq: 1 }, end))).toEqual({ kind: "lease-lost" });
      expect(await current(store, run.id)).toEqual(taken?.run);
      expect(await appendOne(store, nextAppend(taken?.run ?? run))).toMatchObject({ kind: "appended" });
      expect((await store.journal(run.id)).map((row) => [row.seq, row.fence])).toEqual([
        [1, 1],
        [2, 2],
        [3, 2],
      ]);
    });

    test("answers an append sent again as the first time, without a second effect", async ({ store, advance }) => {
      const run = await claimOne(store, "w");
      await store.signal([newSignal(run.id, "s")]);
      const append = nextAppend(run, {
        ...{
          change: { status: "waiting", output: { n: 1 } },
          consumed: ["s"],
          checkpoint: { n: 1, context: { a: 1 }, keep: 3 },
        },
        next: { kind: "park", delayMs: 1_000 },
      });
      const sent = await appendOne(store, append);
      expect(sent).toMatchObject({ kind: "appended", parked: true });
      const before = await everythingOf(store, run.id);
      await advance(500);
      expect(await appendOne(store, append)).toEqual(sent);
      expect(await everythingOf(store, run.id)).toEqual(before);
    });

    test("answers an append sent again after a takeover as the first time, and leaves the run to its new owner", async ({
      store,
      advance,
    }) => {
      const run = await claimOne(store, "old");
      const append = nextAppend(run, { change: { status: "waiting" }, next: { kind: "park", delayMs: 0 } });
      const sent = await appendOne(store, append);
      await advance(LEASE_MS);
      await activate(store, "new");
      const [taken] = await claimAll(store, "new");
      const before = await everythingOf(store, run.id);
      expect(await appendOne(store, append)).toEqual(sent);
      expect(await everythingOf(store, run.id)).toEqual(before);
      expect(await current(store, run.id)).toMatchObject({ owner: "new", fence: 2, status: "running" });
      expect(taken?.rows.map((row) => row.records[0]?.kind)).toEqual(["dispatched", "claimed"]);
    });

    test("answers each append of a batch by itself, in the order given", async ({ store }) => {
      const [a, b, c] = await claimNew(store, "w", 3);
      if (!a || !b || !c) return expect.unreachable();
      const results = await store.append([
        nextAppend(c),
        nextAppend({ ...b, fence: 7 }),
        nextAppend(a),
        nextAppend({ ...c, seq: 1 }),
        nextAppend(b),
      ]);
      expect(results.map((result) => result.kind)).toEqual([
        "appended",
        "lease-lost",
        "appended",
        "appended",
        "appended",
      ]);
      expect((await store.journal(c.id)).length).toBe(2);
      expect(await store.append([])).toEqual([]);
    });

    test("writes the others of a batch when one of its runs was taken over", async ({ store, advance }) => {
      const runs = await claimNew(store, "old", 3);
      await advance(LEASE_MS);
      await activate(store, "new");
      const taken = await claimAll(store, "new");
      const mixed = taken.map(({ run }, index) => nextAppend(index === 1 ? (runs[1] ?? run) : run));
      expect((await store.append(mixed)).map(({ kind }) => kind)).toEqual(["appended", "lease-lost", "appended"]);
      const lengths = await Promise.all(runs.map(async ({ id }) => (await store.journal(id)).length));
      expect(lengths).toEqual([2, 1, 2]);
    });

    for (const [what, text] of POISON) {
      test(`rejects ${what} in an append, writes the others of the batch, and takes the run's next try`, async ({
        store,
      }) => {
        const runs = await claimNew(store, "w", 6);
        const bad: Partial<Append>[] = [
          { records: [{ kind: "completed", step: "pay", attempt: 1, output: { deep: [text] } }] },
          { change: { output: text } },
          { change: { failureReason: { code: "x", message: text } } },
          { checkpoint: { n: 1, keep: 1, context: { [text]: 1 } } },
        ];
        const results = await store.append(runs.map((run, index) => nextAppend(run, bad[index - 1])));
        expect(results.map((result) => result.kind)).toEqual([
          "appended",
          "rejected",
          "rejected",
          "rejected",
          "rejected",
          "appended",
        ]);
        for (const run of runs.slice(1, 5))
          expect(await everythingOf(store, run.id)).toEqual({ run, journal: [], checkpoints: [] });
        const again = await store.append(runs.slice(1, 5).map((run) => nextAppend(run)));
        expect(again.every((result) => result.kind === "appended")).toBe(true);
      });
    }

    test("keeps text that only looks like poison", async ({ store }) => {
      const run = await claimOne(store, "w");
      const output = ["\\u0000", "\\ud800", "\u0001\n\u2028", "😀", ""];
      await appendOne(store, nextAppend(run, { records: [{ kind: "completed", step: "pay", attempt: 1, output }] }));
      expect((await store.journal(run.id))[0]?.records).toEqual([
        { kind: "completed", step: "pay", attempt: 1, output },
      ]);
    });

    test("rejects an end without an end status, an end status without an end, and impossible numbers", async ({
      store,
    }) => {
      const run = await claimOne(store, "w");
      const bad: Partial<Append>[] = [
        { next: { kind: "finish" } },
        { next: { kind: "finish" }, change: { status: "stuck" } },
        { change: { status: "completed" } },
        { next: { kind: "park", delayMs: -1 } },
        { next: { kind: "park", delayMs: Number.NaN } },
        { checkpoint: { n: 1, keep: 0, context: {} } },
        { seq: 0.5 },
      ];
      for (const overrides of bad)
        expect(await appendOne(store, nextAppend(run, overrides)), JSON.stringify(overrides)).toMatchObject({
          kind: "rejected",
        });
      expect(await everythingOf(store, run.id)).toEqual({ run, journal: [], checkpoints: [] });
    });

    test("ends a run for good", async ({ store, advance, near }) => {
      const run = await claimOne(store, "w");
      await store.signal([newSignal(run.id, "early")]);
      const finish = nextAppend(run, {
        change: { status: "completed", output: { ok: true } },
        next: { kind: "finish" },
      });
      const sent = await appendOne(store, finish);
      expect(sent).toMatchObject({ kind: "appended", at: near(await store.now()), parked: false });
      const at = sent.kind === "appended" && sent.at;
      const ended = {
        ...run,
        status: "completed",
        output: { ok: true },
        owner: null,
        wakeAt: null,
        endedAt: at,
        updatedAt: at,
        seq: 1,
      };
      expect(await store.get(run.id)).toEqual(ended);

      expect(await appendOne(store, nextAppend({ ...run, seq: 1 }))).toEqual({ kind: "lease-lost" });
      expect(await store.signal([newSignal(run.id, "late"), newSignal(run.id, "early")])).toEqual([
        "ended",
        "duplicate",
      ]);
      expect((await activate(store, "w", [run.id])).inbox).toEqual([]);
      await advance(LEASE_MS);
      await activate(store, "other");
      expect(await claimAll(store, "other")).toEqual([]);
      expect(await appendOne(store, finish)).toMatchObject({ kind: "appended", at, parked: false });
      expect(await store.get(run.id)).toEqual(ended);
    });

    test("keeps the newest checkpoints, ordered by fence and then number, and hands the newest to a new owner", async ({
      store,
      advance,
      near,
    }) => {
      const run = await claimOne(store, "old");
      for (const n of [1, 2, 3]) {
        await appendOne(store, nextAppend({ ...run, seq: n - 1 }, { checkpoint: { n, keep: 2, context: { n } } }));
      }
      expect((await store.checkpoints(run.id)).map(({ fence, n, seq, context }) => [fence, n, seq, context])).toEqual([
        [1, 3, 3, { n: 3 }],
        [1, 2, 2, { n: 2 }],
      ]);
      await advance(LEASE_MS);
      await activate(store, "new");
      const [taken] = await store.claim({ worker: "new", definitions: [DEFINITION], limit: 1 });
      expect(taken?.checkpoint).toMatchObject({ run: run.id, fence: 1, n: 3, context: { n: 3 } });
      await appendOne(store, nextAppend(taken?.run ?? run, { checkpoint: { n: 1, keep: 2, context: { after: [] } } }));
      const at = near(await store.now());
      const [newest, ...others] = await store.checkpoints(run.id);
      expect(newest).toEqual({ run: run.id, fence: 2, n: 1, seq: 5, at, context: { after: [] } });
      expect(others.map(({ fence, n }) => [fence, n])).toEqual([[1, 3]]);
    });
  });
}
