import { afterEach, expect, it } from "vitest";
import { DEFAULT_CONFIG } from "../config.js";
import { RuntimeError } from "../errors.js";
import { silentLogger } from "../log.js";
import { createContextSessions } from "../session/context.js";
import { SeededRandom } from "../simulation/seeded-random.js";
import type { RunRow } from "../store/run-store.js";
import type { SessionStore } from "../store/session-store.js";
import { createMemorySessionStore } from "../stores/memory/session-store.js";
import { interceptSessionStore } from "../testing/intercept-session-store.test.support.js";
import { createManualClock } from "../testing/manual-clock.js";
import { ContextOwner } from "./context-owner.js";

const TTL_MS = 60_000;
const LEASE_MS = 10_000;
const config = { ...DEFAULT_CONFIG.context, ttlMs: TTL_MS };

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A session store, a clock, and instances on them that are started and die as the test says. */
async function bench() {
  const clock = createManualClock();
  const store = createMemorySessionStore({ clock });
  await store.open();
  cleanups.push(() => store.close());
  const contexts = createContextSessions({ store, config });
  const statuses = new Map<string, RunRow["status"]>();
  let instances = 0;
  const instance = (id: string) => {
    const calls: { readonly method: string; readonly at: number }[] = [];
    const state = { id, down: false, dead: false, hot: 0, driven: new Set<string>(), calls };
    const link: SessionStore = interceptSessionStore(store, (method, call) => {
      // Nobody hears of a dead one any more, and it hears nothing.
      if (state.dead) return new Promise(() => {});
      calls.push({ method, at: clock.monotonic() });
      return state.down ? Promise.reject(new RuntimeError("store-unavailable", "down")) : call();
    });
    const owner = new ContextOwner({
      contexts: createContextSessions({ store: link, config }),
      store: {
        get: async (run) => {
          const status = statuses.get(run);
          return status === undefined ? undefined : ({ id: run, status } as RunRow);
        },
      },
      ports: { clock, random: new SeededRandom(++instances) },
      ...{ logger: silentLogger, leaseMs: LEASE_MS, ttlMs: TTL_MS },
      ...{ id: () => state.id, isDriven: (run) => state.driven.has(run), hot: () => state.hot },
    });
    owner.start();
    cleanups.push(async () => {
      if (!state.dead) await owner.stop();
    });
    return { owner, state, of: (method: string) => calls.filter((call) => call.method === method) };
  };
  /** Of a run that waits, unless the test says something else of it. */
  const save = (runId: string, owner: string, status: RunRow["status"] | null = "waiting") => {
    if (status !== null) statuses.set(runId, status);
    return contexts.save({ runId, context: { runId }, stamp: { fence: 1, seq: 1 }, owner, revision: null });
  };
  const owners = async () => Object.fromEntries(await contexts.owners());
  /** Lets time pass, and what it wakes come to rest. */
  const pass = async (ms: number): Promise<void> => {
    for (const until = clock.monotonic() + ms; clock.monotonic() < until; ) {
      clock.advance(500);
      await new Promise(setImmediate);
    }
  };
  return { clock, contexts, statuses, instance, save, owners, pass };
}

it("renews all contexts of an instance in one call, some three times in a lease, for as long as it lives", async () => {
  const { contexts, instance, save, owners, pass } = await bench();
  const { state, of } = instance("a");
  for (let n = 0; n < 50; n += 1) await save(`run${n}`, "a");
  state.hot = 50;
  await pass(5 * TTL_MS);
  expect(await owners()).toEqual({ a: 50 });
  expect(new Set(state.calls.map(({ method }) => method))).toEqual(new Set(["renewOwner"]));
  const times = of("renewOwner").map(({ at }) => at);
  const pauses = times.slice(1).map((at, n) => at - (times[n] ?? 0));
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(0.75 * LEASE_MS);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(1.25 * LEASE_MS + 500);
  // Instances that were started together do not come together.
  expect(new Set(pauses).size).toBeGreaterThan(3);
  expect(await contexts.load("run0", "a")).toBeDefined();
});

it("keeps contexts of a dead instance alive beyond their ttl: one of the others adopts them, and each only once", async () => {
  const { contexts, instance, save, owners, pass } = await bench();
  const [dead, second, third] = [instance("a"), instance("b"), instance("c")];
  for (let n = 0; n < 30; n += 1) await save(`run${n}`, "a");
  await pass(2 * LEASE_MS);
  expect(await owners()).toEqual({ a: 30, b: 0, c: 0 });
  dead.state.dead = true;
  await pass(TTL_MS);
  const { b = 0, c = 0, ...others } = await owners();
  expect([b + c, others]).toEqual([30, {}]);
  await pass(10 * TTL_MS);
  expect(await contexts.load("run29", "x")).toMatchObject({ saved: { context: { runId: "run29" } } });
  for (const { state } of [second, third]) expect(state.calls.filter(({ method }) => method === "revoke")).toEqual([]);
});

it("adopts a great many in calls of bounded size, one soon after the other", async () => {
  const { instance, save, owners, pass } = await bench();
  for (let n = 0; n < 2_500; n += 1) await save(`run${n}`, "gone");
  const { state, of } = instance("a");
  state.hot = 3_000;
  await pass(1_500);
  expect(await owners()).toEqual({ a: 2_500 });
  expect(of("renewOwner")).toHaveLength(3);
});

it("leaves its contexts to the others at once when it stops, and stops twice", async () => {
  const { instance, save, owners, pass } = await bench();
  const [first] = [instance("a"), instance("b")];
  await save("run", "a");
  await pass(1_000);
  await first.owner.stop();
  await first.owner.stop();
  expect(first.of("retireOwner")).toHaveLength(1);
  await pass(1.25 * LEASE_MS);
  expect(await owners()).toEqual({ b: 1 });
});

it("takes its contexts along when the worker goes on under a new id", async () => {
  const { instance, save, owners, pass } = await bench();
  const { owner, state, of } = instance("a1");
  await save("run", "a1");
  await pass(1_000);
  owner.follow();
  state.id = "a2";
  owner.follow();
  await pass(500);
  expect(await owners()).toEqual({ a2: 1 });
  expect([of("renewOwner").length, of("retireOwner").length]).toEqual([2, 1]);
});

it("goes on renewing when the store failed, or has lost everything", async () => {
  const { contexts, instance, save, owners, pass } = await bench();
  const { owner, state } = instance("a");
  await save("run", "a");
  state.hot = 1;
  state.down = true;
  await pass(4 * LEASE_MS);
  state.down = false;
  await pass(2 * LEASE_MS);
  expect(await owners()).toEqual({ a: 1 });
  await contexts.drop("run");
  await contexts.retire("a");
  expect(await owners()).toEqual({});
  await pass(2 * LEASE_MS);
  expect(await owners()).toEqual({ a: 0 });
  state.down = true;
  await owner.stop();
});

it("drops contexts of runs that have ended or are gone, within its pace, and no others", async () => {
  const { contexts, instance, save, owners, pass } = await bench();
  instance("b").state.hot = 1_000;
  await pass(500);
  for (let n = 0; n < 300; n += 1) await save(`ended${n}`, "gone", n % 2 === 0 ? "completed" : "cancelled");
  await save("parked", "gone", "paused");
  await save("waiting", "gone");
  await save("deleted", "gone", null);
  // Another instance looks after what it has.
  await save("foreign", "b", "completed");
  await save("driven", "a", null);
  const { state, of } = instance("a");
  state.driven.add("driven");
  state.hot = 1;
  await pass(1.25 * LEASE_MS);
  expect(of("list").length).toBeLessThanOrEqual(20);
  await pass(2 * TTL_MS);
  const left = [];
  for (const run of ["parked", "waiting", "driven", "deleted", "foreign", "ended0", "ended299"])
    if ((await contexts.load(run, "x")) !== undefined) left.push(run);
  expect(left).toEqual(["parked", "waiting", "driven", "foreign"]);
  expect(await owners()).toEqual({ a: 0, b: 0, x: 4 });
});

it("looks for what has ended once per ttl, and not at all while it owns no more than it drives", async () => {
  const { instance, save, pass } = await bench();
  await save("parked", "a", "paused");
  const { state, of } = instance("a");
  await pass(10 * TTL_MS);
  expect(of("list").length).toBeGreaterThanOrEqual(8);
  expect(of("list").length).toBeLessThanOrEqual(11);
  const before = of("list").length;
  state.hot = 1;
  await pass(10 * TTL_MS);
  expect(of("list")).toHaveLength(before);
});
