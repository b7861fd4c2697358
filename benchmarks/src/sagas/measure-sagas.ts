import { closedLoop } from "../closed-loop.js";
import type { Measured } from "./protocol.js";
import { actsOf, type SagaScenario } from "./scenarios.js";
import { growth, noteSteps, performedActs } from "./work.js";

/** The longest run whose steps are timed one by one. */
const TIMED_STEPS = 1_000;

/**
 * A closed loop of runs, each started and awaited to its end by `run`. Rejects when a run ends otherwise than the scenario says, or when
 * fewer steps were performed than runs that ended have.
 */
export async function measureSagas(scenario: SagaScenario, run: () => Promise<void>): Promise<Measured> {
  const growths: number[] = [];
  const timed = scenario.steps === TIMED_STEPS && scenario.inFlight === 1;
  const performedBefore = performedActs();
  const { latenciesMs, wallMs, cpuMs } = await closedLoop(scenario, async () => {
    if (timed) noteSteps(scenario.steps);
    const start = performance.now();
    await run();
    const latencyMs = performance.now() - start;
    const ratio = timed ? growth() : null;
    if (ratio !== null) growths.push(ratio);
    return latencyMs;
  });
  const runs = latenciesMs.length;
  const steps = runs * actsOf(scenario);
  const performed = performedActs() - performedBefore;
  if (performed < steps) throw new Error(`expected ${steps} steps of ${runs} runs to be performed, got ${performed}`);
  const notes = performed > steps ? [`performed ${performed - steps} of ${steps} steps again`] : [];
  return { runs, steps, wallMs, latenciesMs, cpuMs, growths, notes };
}
