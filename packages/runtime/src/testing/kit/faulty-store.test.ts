import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import type { CreateRun, RunStore } from "../../store/run-store.js";
import { createMemoryRunStore, createMemoryWorld } from "../../stores/memory/index.js";
import { open as openSqlite } from "../../stores/sqlite/under-test.test.support.js";
import { createManualClock } from "../manual-clock.js";
import { type FaultyStore, type FaultyStoreOptions, faultyStore } from "./faulty-store.js";

const opened: RunStore[] = [];
afterEach(() => Promise.all(opened.splice(0).map((store) => store.close())));

async function open(options: FaultyStoreOptions, inner: RunStore = createMemoryRunStore()): Promise<FaultyStore> {
  const store = faultyStore(inner, options);
  opened.push(store);
  await store.open();
  return store;
}

const run = (id: string): CreateRun => ({
  ...{ id, tenant: "t", type: "saga", definition: "d", version: "v", key: null, inputHash: "h", businessKey: null },
  ...{ attributes: null, sessionId: null, queue: "q", partitionKey: null, priority: 0, input: {}, rootId: id },
  ...{ parentId: null, restartedFrom: null, claim: null },
});

describe("a faulty store", () => {
  it("is unavailable at the call that the plan names, without effect, and works before and after it", async () => {
    const store = await open({ plan: [{ method: "create", nth: 2, fault: "unavailable" }] });
    await store.create([run("a")]);
    await expect(store.create([run("b")])).rejects.toMatchObject({ code: "store-unavailable" });
    await store.create([run("c")]);
    expect([await store.get("a"), await store.get("b"), await store.get("c")].map((each) => each?.id)).toEqual([
      ...["a", undefined, "c"],
    ]);
    expect(store.injected).toEqual([{ method: "create", nth: 2, fault: "unavailable" }]);
  });

  it("loses the reply of a call that had its effect, as often as the plan says", async () => {
    const store = await open({ plan: [{ method: "create", nth: 1, times: 2, fault: "reply-lost" }] });
    for (const id of ["a", "b"]) await expect(store.create([run(id)])).rejects.toThrow("its reply was lost");
    expect(await store.create([run("c")])).toMatchObject([{ kind: "created" }]);
    expect((await store.list({ limit: 10 })).items).toHaveLength(3);
  });

  it("answers late, by the clock it was given", async () => {
    const clock = createManualClock();
    const store = await open({ clock, plan: [{ method: "now", nth: 1, fault: "late", delayMs: 700 }] });
    let answered = false;
    const asked = store.now().then(() => {
      answered = true;
    });
    await store.now();
    clock.advance(699);
    await store.now();
    expect(answered).toBe(false);
    clock.advance(1);
    await asked;
  });

  it("fails calls of its parts, and keeps what is no call", async () => {
    const lanes = { count: 2, worth: 3 };
    const inner = { ...createMemoryRunStore(), lanes };
    const store = await open({ plan: [{ method: "events.groups", nth: 1, fault: "unavailable" }] }, inner);
    await expect(store.events?.groups()).rejects.toThrow("call 1 of events.groups did not arrive");
    expect(await store.events?.groups()).toEqual([]);
    expect(store.lanes).toEqual(lanes);
    expect(store.listen).toBe(undefined);
  });

  it("rolls back a transaction whose commit never arrives, and one that nobody was given", async () => {
    const plan = [
      { method: "begin", nth: 1, fault: "reply-lost" },
      { method: "begin.commit", nth: 1, fault: "unavailable" },
    ] as const;
    // One file has one transaction at a time: one left open would hold up the next.
    const sqlite = await openSqlite();
    onTestFinished(sqlite.close);
    const store = faultyStore(sqlite.store, { plan });
    await expect(store.begin?.()).rejects.toThrow("its reply was lost");
    const transaction = await store.begin?.();
    const append = { run: "a", fence: 1, seq: 1, appendId: "x", records: [], next: { kind: "keep" } } as const;
    await expect(transaction?.commit(append)).rejects.toThrow("call 1 of begin.commit did not arrive");
    const next = await store.begin?.();
    expect(await next?.commit(append)).toEqual({ kind: "lease-lost" });
  });

  it("draws the same faults for the same seed and calls, until it is calmed", async () => {
    const faults = async (seed: number): Promise<FaultyStore["injected"]> => {
      const store = await open({ seed, rates: { late: 0, unavailable: 0.2, replyLost: 0.2, outage: 0.05 } });
      for (let call = 0; call < 100; call++) await store.ping().catch(() => {});
      const { length } = store.injected;
      store.calm();
      for (let call = 0; call < 100; call++) await store.ping();
      expect(store.injected).toHaveLength(length);
      return store.injected;
    };
    const first = await faults(1);
    expect(first.length).toBeGreaterThan(20);
    expect(new Set(first.map(({ fault }) => fault))).toEqual(new Set(["unavailable", "reply-lost"]));
    expect(await faults(1)).toEqual(first);
    expect(await faults(2)).not.toEqual(first);
  });

  it("leaves the store under it as it is", async () => {
    const world = createMemoryWorld();
    const inner = createMemoryRunStore({ world });
    const store = await open({ plan: [{ method: "create", nth: 1, times: 9, fault: "unavailable" }] }, inner);
    await expect(store.create([run("a")])).rejects.toThrow();
    expect(await inner.create([run("a")])).toMatchObject([{ kind: "created" }]);
  });
});
