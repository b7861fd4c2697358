import type { SagaDefinition } from "../../saga/definition.js";
import { randomSaga } from "../random-plan.js";
import type { SeededRandom } from "../seeded-random.js";
import type { Faults } from "./faults.js";
import { FATAL } from "./services.js";

/** One to three sagas, of which each may run those before it. `more`: for what came to them later. */
export function randomDefinitions(random: SeededRandom, more: SeededRandom, faults: Faults): readonly SagaDefinition[] {
  const names = Array.from({ length: 1 + random.below(3) }, (_, index) => `saga-${index}`);
  return names.map((name, index) => ({
    ...randomSaga(random, name, names.slice(0, index)),
    ...(more.chance(0.4) && { startTimeoutMs: 100 + more.below(2_000) }),
    ...(more.chance(0.5) && { retry: { nonRetryable: [FATAL] } }),
    returns: (outputs) => {
      if (!faults.isCalm && random.chance(0.1)) throw new Error("simulated: no output");
      return outputs;
    },
  }));
}
