import type { Measured } from "./protocol.js";
import { actsOf, type SagaScenario } from "./scenarios.js";
import { growth, noteSteps, performedActs } from "./work.js";

/** The longest run whose steps are timed one by one. */
const TIMED_STEPS = 1_000;

/**
 * Keeps `inFlight` runs going for `startFor` ms, then lets them end. Runs that are in flight at the end count, and so does the time
 * that they take: for a slow contender that is most of its round, and no run is cut off or given away.
 * Rejects when a run ends otherwise than the scenario says, or when fewer steps were performed than runs that ended have.
 */
export async function closedLoop(scenario: SagaScenario, run: () => Promise<void>): Promise<Measured> {
  const latenciesMs: number[] = [];
  const growths: number[] = [];
  const timed = scenario.steps === TIMED_STEPS && scenario.inFlight === 1;
  const performedBefore = performedActs();
  const cpuBefore = process.cpuUsage();
  const begin = performance.now();
  const until = begin + scenario.startFor;
  const lane = async (): Promise<void> => {
    do {
      if (timed) noteSteps(scenario.steps);
      const start = performance.now();
      await run();
      latenciesMs.push(performance.now() - start);
      const ratio = timed ? growth() : null;
      if (ratio !== null) growths.push(ratio);
    } while (performance.now() < until);
  };
  await Promise.all(Array.from({ length: scenario.inFlight }, lane));
  const wallMs = performance.now() - begin;
  const cpu = process.cpuUsage(cpuBefore);
  const runs = latenciesMs.length;
  const steps = runs * actsOf(scenario);
  const performed = performedActs() - performedBefore;
  if (performed < steps) throw new Error(`expected ${steps} steps of ${runs} runs to be performed, got ${performed}`);
  const notes = performed > steps ? [`performed ${performed - steps} of ${steps} steps again`] : [];
  return { runs, steps, wallMs, latenciesMs, cpuMs: (cpu.user + cpu.system) / 1_000, growths, notes };
}
