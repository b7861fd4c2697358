import { serve } from "../serve.js";
import { measureSagas } from "./measure-sagas.js";
import type { Measured, Place, Request } from "./protocol.js";
import type { Scenario, Shape } from "./scenarios.js";

/** What a contender's program implements. */
export interface Driver {
  open(place: Place): Promise<void>;
  measure(scenario: Scenario): Promise<Measured>;
  close(): Promise<void>;
}

export interface SagaDriver {
  open(place: Place): Promise<void>;
  /** Starts one run through the public API and resolves at its end; rejects when it ends otherwise than the shape says. */
  run(shape: Shape): Promise<void>;
  close(): Promise<void>;
}

export function sagaDriver(driver: SagaDriver): Driver {
  return {
    ...{ open: (place) => driver.open(place), close: () => driver.close() },
    measure: (scenario) => {
      if (scenario.kind !== "saga") throw new Error(`expected a saga, got the scenario ${scenario.name}`);
      return measureSagas(scenario, () => driver.run(scenario));
    },
  };
}

/** Serves the bench until it says close, or is gone. */
export function serveSagas(driver: Driver): void {
  serve(async (request: Request): Promise<Measured | null> => {
    switch (request.kind) {
      case "open":
        await driver.open(request.place);
        return null;
      case "measure":
        return await driver.measure(request.scenario);
      case "close":
        await driver.close();
        return null;
    }
  });
}
