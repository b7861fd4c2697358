import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { systemPorts } from "../ports.js";
import type { NewSession, SessionStore } from "../store/session-store.js";
import { createMemorySessionStore } from "../stores/memory/session-store.js";
import { interceptSessionStore } from "../testing/intercept-session-store.test.support.js";
import { createManualClock, type ManualClock } from "../testing/manual-clock.js";
import { LISTENER_WAIT_MS, SessionAudit } from "./session-audit.js";
import type { SessionListener } from "./session-events.js";
import { CLAIM_MS, SessionSweep } from "./session-sweep.js";

const INTERVAL_MS = 60_000;

describe("the sweep of expired sessions", () => {
  it("waits between half and one and a half intervals, as chance says, each time anew", async () => {
    for (const [chance, delayMs] of [
      [0, 30_000],
      [0.5, 60_000],
      [0.999, 89_940],
    ] as const) {
      const { sweep, clock, sweeps } = await setUp({ chance });
      sweep.start();
      for (let n = 1; n <= 3; n += 1) {
        clock.advance(delayMs - 1);
        await turn();
        expect(sweeps()).toBe(n - 1);
        clock.advance(1);
        await turn();
        expect(sweeps()).toBe(n);
      }
      await sweep.stop();
    }
  });

  it("goes through a pile in batches, with a turn of the event loop between them", async () => {
    const { sweep, clock, store, logged, sweeps } = await setUp({ batchSize: 10 });
    for (let n = 0; n < 25; n += 1) await store.create(session(`s${n}`));
    sweep.start();
    clock.advance(INTERVAL_MS);
    await turn();
    expect(sweeps()).toBe(1);
    clock.advance(0);
    await turn();
    clock.advance(0);
    await turn();
    expect(sweeps()).toBe(3);
    expect(logged.filter(({ message }) => message === "session expired")).toHaveLength(25);
    await sweep.stop();
  });

  it("gives up its turn after a bounded number of batches", async () => {
    const { sweep, clock, store, sweeps } = await setUp({ batchSize: 1 });
    for (let n = 0; n < 30; n += 1) await store.create(session(`s${n}`));
    sweep.start();
    clock.advance(INTERVAL_MS);
    for (let n = 0; n < 40; n += 1) {
      await turn();
      clock.advance(0);
    }
    expect(sweeps()).toBe(20);
    await sweep.stop();
  });

  it("logs a failing store and tries again at the next interval", async () => {
    const { sweep, clock, store, logged, sweeps } = await setUp();
    await store.close();
    sweep.start();
    clock.advance(INTERVAL_MS);
    await turn();
    expect(logged).toMatchObject([{ level: "warn" }]);
    await store.open();
    clock.advance(INTERVAL_MS);
    await turn();
    expect(sweeps()).toBe(2);
    expect(logged).toHaveLength(1);
    await sweep.stop();
  });

  it("stops for good, also in the middle of a sweep, and starts again", async () => {
    const { sweep, clock, store, sweeps } = await setUp({ batchSize: 1 });
    for (let n = 0; n < 3; n += 1) await store.create(session(`s${n}`));
    sweep.start();
    sweep.start();
    expect(clock.pending).toBe(1);
    clock.advance(INTERVAL_MS);
    await turn();
    await sweep.stop();
    expect(clock.pending).toBe(0);
    clock.advance(10 * INTERVAL_MS);
    await turn();
    expect(sweeps()).toBe(1);
    sweep.start();
    clock.advance(INTERVAL_MS);
    await turn();
    expect(sweeps()).toBe(2);
    await sweep.stop();
    await sweep.stop();
  });

  it("settles what was told and nothing else: a listener that failed is told again, when the claim is over", async () => {
    const told: string[] = [];
    let isFailing = true;
    const { sweep, clock, store } = await setUp({
      listener: async (event) => {
        const { id } = event as { readonly id: string };
        told.push(id);
        if (isFailing && id === "s1") throw new Error("down");
      },
    });
    for (const id of ["s0", "s1"]) await store.create(session(id));
    sweep.start();
    clock.advance(INTERVAL_MS);
    await turn();
    expect(told.splice(0)).toEqual(["s0", "s1"]);
    isFailing = false;
    clock.advance(Math.max(INTERVAL_MS, CLAIM_MS));
    await turn();
    expect(told.splice(0)).toEqual(["s1"]);
    clock.advance(Math.max(INTERVAL_MS, CLAIM_MS));
    await turn();
    expect(told).toEqual([]);
    await sweep.stop();
  });

  it("waits for a listener that hangs for a bounded time, and goes on with the next batch", async () => {
    const told: string[] = [];
    const { sweep, clock, store } = await setUp({
      batchSize: 1,
      listener: (event) => {
        const { id } = event as { readonly id: string };
        told.push(id);
        return id === "s0" ? new Promise(() => {}) : undefined;
      },
    });
    for (const id of ["s0", "s1"]) await store.create(session(id));
    sweep.start();
    clock.advance(INTERVAL_MS);
    await turn();
    expect(told).toEqual(["s0"]);
    clock.advance(LISTENER_WAIT_MS);
    await turn();
    clock.advance(0);
    await turn();
    expect(told).toEqual(["s0", "s1"]);
    await sweep.stop();
  });

  it("stops at once while a listener hangs, and leaves what was not confirmed to the next", async () => {
    const { sweep, clock, store } = await setUp({ listener: () => new Promise(() => {}) });
    await store.create(session("s0"));
    sweep.start();
    clock.advance(INTERVAL_MS);
    await turn();
    await sweep.stop();
    expect(clock.pending).toBe(0);
    expect(await store.sweep(10, CLAIM_MS)).toEqual([]);
    clock.advance(CLAIM_MS);
    expect(await store.sweep(10, CLAIM_MS)).toMatchObject([{ id: "s0" }]);
  });

  it("tells again what a process was handed that died before it settled, and tells nobody within the claim", async () => {
    const clock = createManualClock();
    const memory = createMemorySessionStore({ clock });
    const told: string[] = [];
    // Its own clock stands still from its death on, so nothing of it runs on.
    const dying = await setUp({ over: { memory, clock: createManualClock() }, listener: () => new Promise(() => {}) });
    const listener: SessionListener = (event) => void told.push((event as { readonly id: string }).id);
    const next = await setUp({ over: { memory, clock }, listener, chance: 0 });
    await memory.create(session("s0"));
    clock.advance(1_000);
    dying.sweep.start();
    dying.clock.advance(INTERVAL_MS);
    await turn();
    expect(dying.sweeps()).toBe(1);
    next.sweep.start();
    clock.advance(CLAIM_MS / 2);
    await turn();
    expect([next.sweeps(), told]).toEqual([1, []]);
    clock.advance(CLAIM_MS / 2);
    await turn();
    expect([next.sweeps(), told]).toEqual([2, ["s0"]]);
    clock.advance(2 * CLAIM_MS);
    await turn();
    expect(told).toEqual(["s0"]);
    await next.sweep.stop();
    await dying.sweep.stop();
  });

  it("asks for a claim that outlasts the wait for the listener", () => {
    expect(CLAIM_MS).toBeGreaterThan(2 * LISTENER_WAIT_MS);
  });

  it("tells again what could not be settled", async () => {
    const told: string[] = [];
    let isDown = true;
    const { sweep, clock, store, logged } = await setUp({
      listener: (event) => void told.push((event as { readonly id: string }).id),
      settling: () => {
        if (isDown) throw new Error("down");
      },
    });
    await store.create(session("s0"));
    sweep.start();
    clock.advance(INTERVAL_MS);
    await turn();
    expect(logged.at(-1)).toMatchObject({ level: "warn" });
    isDown = false;
    clock.advance(Math.max(INTERVAL_MS, CLAIM_MS));
    await turn();
    expect(told).toEqual(["s0", "s0"]);
    expect(await store.sweep(10, 0)).toEqual([]);
    await sweep.stop();
  });
});

interface SetUp {
  readonly chance?: number;
  readonly batchSize?: number;
  readonly listener?: SessionListener;
  /** Before each settling. */
  readonly settling?: () => void;
  /** Whose sessions, and the clock of the sweep. */
  readonly over?: { readonly clock: ManualClock; readonly memory: SessionStore };
}

async function setUp({ chance = 0.5, batchSize = 100, listener, settling, over }: SetUp = {}) {
  const clock = over?.clock ?? createManualClock();
  const memory = over?.memory ?? createMemorySessionStore({ clock });
  await memory.open();
  let sweeps = 0;
  const store = interceptSessionStore(memory, async (method, call) => {
    if (method === "sweep") sweeps += 1;
    if (method === "settle") settling?.();
    return call();
  });
  const logged: { readonly level: string; readonly facts: object; readonly message: string }[] = [];
  const log = (level: string) => (facts: object, message: string) => void logged.push({ level, facts, message });
  const logger = { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  const ports = { clock, random: { ...systemPorts.random, float: () => chance } };
  const audit = new SessionAudit(listener, logger, clock);
  const sweep = new SessionSweep({ store, audit, ports, logger, intervalMs: INTERVAL_MS, batchSize });
  return { sweep, clock, store, logged, sweeps: () => sweeps };
}

function session(id: string): NewSession {
  return { id, kind: "login", tokenHash: `hash of ${id}`, subject: null, data: {}, idleMs: 1_000, absoluteMs: 1_000 };
}
