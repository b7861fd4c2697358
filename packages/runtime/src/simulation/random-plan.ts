import { type PlanDefaults, planOf, type RunPlan } from "../engine/plan.js";
import { defineSaga } from "../saga/define.js";
import type { Expression, SagaDefinition, StepDefinition } from "../saga/definition.js";
import { SIGNALS } from "./random-signals.js";
import { SeededRandom } from "./seeded-random.js";
import { withFunctions } from "./simulated-functions.js";
import { transactedEndpoint } from "./transacted-step.js";

/** With defaults as random as the saga. */
export function randomPlan(random: SeededRandom): RunPlan {
  const saga = randomSaga(random, "random", ["child"]);
  const defaults = randomDefaults(random);
  return planOf(defineSaga(withFunctions(saga, new SeededRandom(random.below(2 ** 32)))), defaults);
}

/** A random saga, which may run those named: up to five waves of up to three steps of every kind, some without compensation, some with a pivot. */
export function randomSaga(random: SeededRandom, name: string, children: readonly string[] = []): SagaDefinition {
  const waves = Array.from({ length: 1 + random.below(5) }, (_, wave) => ({
    steps: Array.from({ length: random.chance(0.6) ? 1 : 2 + random.below(2) }, (_, index) =>
      randomStep(random, `step-${wave}-${index}`, children),
    ),
  }));
  const pivotAfterWave = random.chance(0.3) ? random.below(waves.length) : null;
  return defineSaga({ name, waves, pivotAfterWave, timeoutMs: null });
}

function randomStep(random: SeededRandom, name: string, children: readonly string[]): StepDefinition {
  const when = random.chance(0.15) ? { when: drawn(random, randomCondition) } : {};
  const dice = random.float();
  if (dice < 0.12) {
    const duration = random.chance(0.5) ? random.below(20_000) : drawn(random, randomTime);
    return { name, kind: "sleep", duration, ...when };
  }
  if (dice < 0.26) {
    const timeoutMs = random.chance(0.7) ? 1 + random.below(20_000) : null;
    return {
      name,
      kind: "wait",
      signal: random.pick(SIGNALS),
      timeoutMs,
      onTimeout: random.pick(["fail", "refuse", "skip"]),
      ...when,
    };
  }
  if (dice < 0.4 && children.length > 0) return { name, kind: "child", saga: random.pick(children), ...when };
  const input = random.chance(0.2) ? { input: drawn(random, (draw) => ({ drawn: draw.below(1_000_000) })) } : {};
  const own = random.chance(0.25) ? transactedEndpoint : (endpoint: string) => endpoint;
  const action = { service: "service", endpoint: own(`/${name}`) };
  const compensation = random.chance(0.8)
    ? { action: { ...action, endpoint: own(`/undo-${name}`) }, timeoutMs: null, retry: {} }
    : null;
  const call = { name, action, timeoutMs: null, retry: {}, compensation, ...when, ...input };
  if (!random.chance(0.15)) return { ...call, kind: "action" };
  const over = drawn(random, (draw) => (draw.chance(0.05) ? "simulated: no list" : randomList(draw)));
  return { ...call, kind: "map", over, concurrency: 1 + random.below(3), maxItems: 4 };
}

/** At times one that is too long. */
function randomList(random: SeededRandom): number[] {
  return Array.from({ length: random.chance(0.03) ? 5 : random.below(5) }, () => random.below(1_000_000));
}

/** Gives something else each time: whoever evaluates it twice is found out. Each saga draws for itself. */
function drawn(random: SeededRandom, draw: (random: SeededRandom, now: number) => unknown): Expression {
  const own = new SeededRandom(random.below(2 ** 32));
  return { source: null, evaluate: ({ now }) => draw(own, now) };
}

/** Most hold; some are skipped, and a few throw. */
function randomCondition(random: SeededRandom): boolean | null {
  if (random.chance(0.05)) throw new Error("simulated: no condition");
  return random.chance(0.6) ? true : random.pick([false, null]);
}

function randomTime(random: SeededRandom, now: number): unknown {
  if (random.chance(0.05)) return "simulated: no time";
  const ms = random.below(20_000) - 1_000;
  return random.chance(0.5) ? ms : new Date(now + ms).toISOString();
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
