import { setTimeout as delay } from "node:timers/promises";
import { closedLoop } from "../closed-loop.js";
import { serve } from "../serve.js";
import type { Effects } from "./effects.js";
import type { Measured, Place, Request } from "./protocol.js";
import type { EventScenario } from "./scenarios.js";

/** What a contender's program gives when it has opened its place. */
export interface EventDriver {
  /** Performs act `n` to its end and has its effects counted under that number; resolves with its latency, ms. */
  act(n: number): Promise<number>;
  /** For effects that are also kept in a database: rejects unless those of the first `acts` acts are there, each once. */
  expectKept?(acts: number): Promise<void>;
  close(): Promise<void>;
}

/** Serves the bench until it says close, or is gone. */
export function serveEvents(effects: Effects, open: (place: Place) => Promise<EventDriver>): void {
  let driver: EventDriver | null = null;
  serve(async (request: Request): Promise<Measured | null> => {
    switch (request.kind) {
      case "open":
        driver = await open(request.place);
        return null;
      case "measure":
        if (driver === null) throw new Error("expected to be opened first");
        return await measure(driver, effects, request.scenario);
      case "close":
        await driver?.close();
        return null;
    }
  });
}

/** What is under way when no more begin may take so long, ms: an event that was lost is waited for no longer. */
const GRACE_MS = 60_000;

/** Rejects when an act fails or does not end, and when the effects did not all happen once. */
export async function measure(
  driver: EventDriver,
  effects: Effects,
  scenario: EventScenario,
  graceMs = GRACE_MS,
): Promise<Measured> {
  const { name, startFor, pauseMs } = scenario;
  const begunBefore = effects.begun;
  let ended = 0;
  const act = async (): Promise<number> => {
    if (pauseMs !== null) await delay(pauseMs[0] + Math.random() * (pauseMs[1] - pauseMs[0]));
    const latencyMs = await driver.act(effects.begin());
    ended += 1;
    return latencyMs;
  };
  const over = new AbortController();
  const deadline = delay(startFor + graceMs, undefined, { signal: over.signal }).then(() => {
    const acts = `${effects.begun - begunBefore} acts of ${name}`;
    throw new Error(`expected ${acts} to end within ${graceMs} ms after the last one may begin, got ${ended} that did`);
  });
  deadline.catch(() => {});
  try {
    const { latenciesMs, wallMs, cpuMs } = await Promise.race([closedLoop(scenario, act), deadline]);
    effects.check();
    await driver.expectKept?.(effects.begun);
    return { acts: ended, wallMs, latenciesMs, cpuMs };
  } finally {
    over.abort();
  }
}
