import { type PlanDefaults, planOf, type RunPlan } from "../engine/plan.js";
import { defineSaga } from "../saga/define.js";
import type { SagaDefinition, StepDefinition } from "../saga/definition.js";
import type { SeededRandom } from "./seeded-random.js";

/** With defaults as random as the saga. */
export function randomPlan(random: SeededRandom): RunPlan {
  return planOf(randomSaga(random, "random"), randomDefaults(random));
}

/** A random saga: up to five waves of up to three steps, some without compensation, some with a pivot. */
export function randomSaga(random: SeededRandom, name: string): SagaDefinition {
  const waves = Array.from({ length: 1 + random.below(5) }, (_, wave) => ({
    steps: Array.from({ length: random.chance(0.6) ? 1 : 2 + random.below(2) }, (_, index) =>
      randomStep(random, `step-${wave}-${index}`),
    ),
  }));
  const pivotAfterWave = random.chance(0.3) ? random.below(waves.length) : null;
  return defineSaga({ name, waves, pivotAfterWave, timeoutMs: null });
}

function randomStep(random: SeededRandom, name: string): StepDefinition {
  const action = { service: "service", endpoint: `/${name}` };
  const compensation = random.chance(0.8)
    ? { action: { ...action, endpoint: `/undo-${name}` }, timeoutMs: null, retry: {} }
    : null;
  return { name, kind: "action", action, timeoutMs: null, retry: {}, compensation };
}

function randomDefaults(random: SeededRandom): PlanDefaults {
  const initialDelayMs = 1 + random.below(2_000);
  return {
    strategy: random.chance(0.7) ? "compensate" : random.pick(["retry", "manual", "none"] as const),
    retry: {
      maxAttempts: 1 + random.below(4),
      backoff: random.pick(["exponential", "linear", "fixed"] as const),
      initialDelayMs,
      maxDelayMs: initialDelayMs * (1 + random.below(20)),
      jitter: random.pick(["full", "none"] as const),
      nonRetryable: [],
    },
    maxCrashes: 1 + random.below(3),
    runTimeoutMs: random.chance(0.8) ? 3_600_000 : 1 + random.below(5_000),
    stepTimeoutMs: 30_000,
    service: () => ({}),
  };
}
