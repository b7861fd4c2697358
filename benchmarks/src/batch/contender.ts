import { serve } from "../serve.js";
import type { Measured, Place, Request } from "./protocol.js";
import type { BatchScenario } from "./scenarios.js";

/** What a contender's program gives when it has opened its place. */
export interface BatchDriver {
  /** Performs the scenario and checks that everything in it was done once; gives the figures that the scenario has. */
  measure(scenario: BatchScenario): Promise<Partial<Measured>>;
  close(): Promise<void>;
}

/** Serves the bench until it says close, or is gone. */
export function serveBatches(open: (place: Place) => Promise<BatchDriver>): void {
  let driver: BatchDriver | null = null;
  serve(async (request: Request): Promise<Measured | null> => {
    switch (request.kind) {
      case "open":
        driver = await open(request.place);
        return null;
      case "measure":
        if (driver === null) throw new Error("expected to be opened first");
        return await measured(driver, request.scenario);
      case "close":
        await driver?.close();
        return null;
    }
  });
}

const KIB_PER_MB = 1_000_000 / 1_024;

async function measured(driver: BatchDriver, scenario: BatchScenario): Promise<Measured> {
  const before = process.cpuUsage();
  const figures = await driver.measure(scenario);
  const cpu = process.cpuUsage(before);
  return {
    ...{ itemsPerS: null, startAloneMs: null, startBesideMs: null, wakeS: null },
    ...{ peakMb: process.resourceUsage().maxRSS / KIB_PER_MB, cpuMs: (cpu.user + cpu.system) / 1_000 },
    ...figures,
  };
}

/** What all contenders do for an item: a function that is awaited and does nothing. */
export async function nothing(): Promise<void> {}
