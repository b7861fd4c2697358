import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { systemPorts } from "../ports.js";
import type { NewSession } from "../store/session-store.js";
import { createMemorySessionStore } from "../stores/memory/session-store.js";
import { interceptSessionStore } from "../testing/intercept-session-store.test.support.js";
import { createManualClock } from "../testing/manual-clock.js";
import { SessionSweep } from "./session-sweep.js";

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
});

async function setUp({ chance = 0.5, batchSize = 100 } = {}) {
  const clock = createManualClock();
  const memory = createMemorySessionStore({ clock });
  await memory.open();
  let sweeps = 0;
  const store = interceptSessionStore(memory, (method, call) => {
    if (method === "sweep") sweeps += 1;
    return call();
  });
  const logged: { readonly level: string; readonly facts: object; readonly message: string }[] = [];
  const log = (level: string) => (facts: object, message: string) => void logged.push({ level, facts, message });
  const logger = { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  const ports = { clock, random: { ...systemPorts.random, float: () => chance } };
  const sweep = new SessionSweep({ store, ports, logger, intervalMs: INTERVAL_MS, batchSize });
  return { sweep, clock, store, logged, sweeps: () => sweeps };
}

function session(id: string): NewSession {
  return { id, kind: "login", tokenHash: `hash of ${id}`, subject: null, data: {}, idleMs: 1_000, absoluteMs: 1_000 };
}
