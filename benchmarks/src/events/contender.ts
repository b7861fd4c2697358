import { setTimeout as delay } from "node:timers/promises";
import { closedLoop } from "../closed-loop.js";
import { serve } from "../serve.js";
import type { Effects } from "./effects.js";
import type { Measured, Place, Request } from "./protocol.js";
import type { EventScenario } from "./scenarios.js";

/** What a contender's program implements. */
export interface EventDriver {
  open(place: Place): Promise<void>;
  /** Performs act `n` to its end and has its effects counted under that number; resolves with its latency, ms. */
  act(n: number): Promise<number>;
  /** Effects that were kept in a database, each under its act's number: rejects unless the first `acts` are there, each once. */
  expectKept?(acts: number): Promise<void>;
  close(): Promise<void>;
}

/** Serves the bench until it says close, or is gone. */
export function serveEvents(driver: EventDriver, effects: Effects): void {
  serve(async (request: Request): Promise<Measured | null> => {
    switch (request.kind) {
      case "open":
        await driver.open(request.place);
        return null;
      case "measure":
        return await measure(driver, effects, request.scenario);
      case "close":
        await driver.close();
        return null;
    }
  });
}

/** Rejects when an act fails, or when its effects did not all happen once. */
export async function measure(driver: EventDriver, effects: Effects, scenario: EventScenario): Promise<Measured> {
  const { pauseMs } = scenario;
  const looped = await closedLoop(scenario, async () => {
    if (pauseMs !== null) await delay(pauseMs[0] + Math.random() * (pauseMs[1] - pauseMs[0]));
    return driver.act(effects.begin());
  });
  effects.check();
  await driver.expectKept?.(effects.begun);
  return { acts: looped.latenciesMs.length, ...looped };
}
