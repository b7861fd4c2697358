import { describe, expect } from "vitest";
import { shardOf } from "../../store/event-shard.js";
import type { Append } from "../../store/run-store.js";
import {
  activate,
  appendOne,
  claimAll,
  claimNew,
  claimOne,
  everythingOf,
  first,
  LEASE_MS,
  newRun,
  newSignal,
  nextAppend,
  RECORD,
  runId,
} from "../run-store-contract/harness.js";
import { type EventTest, idsIn, newEvent, newEvents, readAll } from "./harness.js";
import { BAD_EVENTS } from "./refusing.js";

export function appending(test: EventTest): void {
  describe("events of an append", () => {
    test("are stored with its row, in the order of the rows", async ({ store, events, near }) => {
      const run = await claimOne(store, "w");
      await appendOne(store, nextAppend(run, { events: newEvents(1, 2) }));
      const at = near(await store.now());
      const end: Partial<Append> = { change: { status: "completed" }, next: { kind: "finish" } };
      await store.append([
        nextAppend({ ...run, seq: 1 }, { events: [newEvent(3)] }),
        nextAppend({ ...run, seq: 2 }, { ...end, events: [newEvent(4)] }),
      ]);
      const stored = await readAll(events, shardOf("order-1"));
      expect(stored.map(({ event }) => event)).toEqual(newEvents(1, 4));
      expect(stored.at(-1)?.storedAt).toEqual(at);
    });

    test("are not stored when the lease is lost", async ({ store, events, advance }) => {
      const run = await claimOne(store, "old");
      await appendOne(store, nextAppend(run));
      const results = await store.append([
        nextAppend({ ...run, seq: 1, fence: 7 }, { events: [newEvent(1)] }),
        nextAppend(run, { appendId: "another", events: [newEvent(2)] }),
        nextAppend({ ...run, id: runId(99), seq: 0 }, { events: [newEvent(3)] }),
      ]);
      expect(results.map(({ kind }) => kind)).toEqual(["lease-lost", "lease-lost", "lease-lost"]);
      await advance(LEASE_MS + 1);
      await activate(store, "new");
      await claimAll(store, "new");
      const late = nextAppend({ ...run, seq: 1 }, { events: [newEvent(4)] });
      expect(await appendOne(store, late)).toEqual({ kind: "lease-lost" });
      expect(await idsIn(events)).toEqual([]);
    });

    test("are not stored when the append is rejected for something else", async ({ store, events }) => {
      const [run, other] = await claimNew(store, "w", 2);
      if (!run || !other) return expect.unreachable();
      const results = await store.append([
        nextAppend(run, { events: [newEvent(1)], change: { output: "a\0b" } }),
        nextAppend(other, { events: [newEvent(2)] }),
      ]);
      expect(results.map(({ kind }) => kind)).toEqual(["rejected", "appended"]);
      expect(await idsIn(events)).toEqual(["event-2"]);
    });

    test("that cannot be stored make it rejected, and it alone", async ({ store, events }) => {
      const runs = await claimNew(store, "w", BAD_EVENTS.length + 1);
      const appends = runs.map((run, n) => {
        const bad = BAD_EVENTS[n - 1]?.[1];
        return nextAppend(run, { events: [newEvent(2 * n), ...(bad ? [newEvent(2 * n + 1, bad)] : [])] });
      });
      const results = await store.append(appends);
      expect(results.map(({ kind }) => kind)).toEqual(["appended", ...BAD_EVENTS.map(() => "rejected")]);
      expect(await idsIn(events)).toEqual(["event-0"]);
      const refused = runs[1] ?? expect.fail();
      expect(await everythingOf(store, refused.id)).toEqual({ run: refused, journal: [], checkpoints: [] });
      expect(await appendOne(store, nextAppend(refused, { events: [newEvent(2)] }))).toMatchObject({
        kind: "appended",
      });
      expect((await idsIn(events)).sort()).toEqual(["event-0", "event-2"]);
    });

    test("are stored once when it is sent again, also when they are no longer there", async (under) => {
      const { store, events, advance, tickMs } = under;
      const run = await claimOne(store, "w");
      const append = nextAppend(run, { events: newEvents(1, 2) });
      const sent = await appendOne(store, append);
      expect(await appendOne(store, append)).toEqual(sent);
      expect(await idsIn(events)).toEqual(["event-1", "event-2"]);
      await advance(2 * tickMs);
      expect(await events.pruneOutbox((await store.now()) - tickMs, 10)).toBe(2);
      expect(await appendOne(store, append)).toEqual(sent);
      expect(await idsIn(events)).toEqual([]);
    });

    test("come with whether the end of its run left messages unread, as far as it is known", async ({ store }) => {
      const [told, untold, read] = await claimNew(store, "w", 3);
      if (!told || !untold || !read) return expect.unreachable();
      await store.signal([newSignal(told.id, "one"), newSignal(read.id, "one")]);
      const end: Partial<Append> = { change: { status: "completed" }, next: { kind: "finish" } };
      const appends = [
        nextAppend(told, { ...end, events: [newEvent(1)] }),
        nextAppend(untold, { ...end, events: [newEvent(2)] }),
        nextAppend(read, { ...end, consumed: ["one"], events: [newEvent(3)] }),
      ];
      const results = await store.append(appends);
      const unread = results.map((result) => result.kind === "appended" && result.unread);
      expect(unread).toEqual([true, false, false]);
      // What it was is not kept; that it is not known says: look.
      const [again] = await store.append(appends.slice(0, 1));
      expect(again).toMatchObject({ kind: "appended" });
      expect(again).not.toMatchObject({ unread: false });
    });

    test("that are there already are left as they are, and the row is written", async ({ store, events }) => {
      const run = await claimOne(store, "w");
      await events.put([newEvent(1)]);
      const append = nextAppend(run, { events: [newEvent(1, { body: "changed" }), newEvent(2)] });
      expect(await appendOne(store, append)).toMatchObject({ kind: "appended" });
      expect((await readAll(events, shardOf("order-1"))).map(({ event }) => event)).toEqual(newEvents(1, 2));
    });

    test("are stored with the row of a step's transaction, or not at all", async ({ store, events, effects }) => {
      if (!effects) return;
      const run = await claimOne(store, "w");
      for (const [fence, kind] of [
        [7, "lease-lost"],
        [1, "appended"],
      ] as const) {
        const transaction = (await store.begin?.()) ?? expect.fail("expected the store to begin a transaction");
        const writing = effects.write(transaction.client, kind);
        if (writing instanceof Promise) await writing;
        const append = nextAppend({ ...run, fence }, { events: [newEvent(fence)] });
        expect(await transaction.commit(append)).toMatchObject({ kind });
      }
      expect(await effects.committed()).toEqual(["appended"]);
      expect(await idsIn(events)).toEqual(["event-1"]);
    });
  });

  describe("events of a start", () => {
    test("are stored when the run is created, claimed at once or not", async ({ store, events, near }) => {
      await activate(store, "w");
      const claim = { worker: "w", appendId: "first", records: [RECORD] };
      const at = near(await store.now());
      const created = await store.create([
        newRun(1, { events: [newEvent(1)] }),
        newRun(2, { events: [newEvent(2), newEvent(3)], claim }),
      ]);
      expect(created.map(({ kind }) => kind)).toEqual(["created", "created"]);
      const stored = await readAll(events, shardOf("order-1"));
      expect(stored.map(({ event, storedAt }) => [event, storedAt])).toEqual(
        newEvents(1, 3).map((event) => [event, at]),
      );
    });

    test("are stored for the one of many with a key that creates", async ({ store, events, reopen }) => {
      const stores = [store, (await reopen?.()) ?? store];
      const start = (n: number) => newRun(n, { key: "k", events: [newEvent(n)] });
      const calls = Array.from({ length: 10 }, (_, n) => stores[n % 2]?.create([start(2 * n), start(2 * n + 1)]) ?? []);
      const results = (await Promise.all(calls)).flat();
      const creating = results.findIndex(({ kind }) => kind === "created");
      expect(results.filter(({ kind }) => kind === "existing").length).toBe(19);
      expect(await idsIn(events)).toEqual([`event-${creating}`]);
    });

    test("are stored once when it is sent again, also when they are no longer there", async (under) => {
      const { store, events, advance, tickMs } = under;
      const start = newRun(1, { key: "k", events: [newEvent(1)] });
      expect((await store.create([start, start])).map(({ kind }) => kind)).toEqual(["created", "created"]);
      expect(await idsIn(events)).toEqual(["event-1"]);
      await advance(2 * tickMs);
      expect(await events.pruneOutbox((await store.now()) - tickMs, 10)).toBe(1);
      expect(await store.create([start])).toMatchObject([{ kind: "created" }]);
      expect(await idsIn(events)).toEqual([]);
    });

    test("are stored when it takes a key over from a run that failed", async ({ store, events }) => {
      await activate(store, "w");
      const claim = { worker: "w", appendId: "first", records: [RECORD] };
      const created = first(await store.create([newRun(1, { key: "k", claim, events: [newEvent(1)] })]));
      const run = created.kind === "created" ? created.run : expect.fail();
      await appendOne(store, nextAppend(run, { change: { status: "failed" }, next: { kind: "finish" } }));
      const again = newRun(2, { key: "k", restart: true, events: [newEvent(2)] });
      expect(await store.create([again])).toMatchObject([{ kind: "created" }]);
      expect(await idsIn(events)).toEqual(["event-1", "event-2"]);
    });

    test("that cannot be stored make it rejected, and it alone", async ({ store, events }) => {
      const starts = BAD_EVENTS.map(([, bad], n) => newRun(n + 2, { events: [newEvent(2), newEvent(3, bad)] }));
      const results = await store.create([newRun(1, { events: [newEvent(1)] }), ...starts]);
      expect(results.map(({ kind }) => kind)).toEqual(["created", ...BAD_EVENTS.map(() => "rejected")]);
      expect((await store.list({ limit: 100 })).items.map(({ id }) => id)).toEqual([runId(1)]);
      expect(await idsIn(events)).toEqual(["event-1"]);
    });
  });
}
