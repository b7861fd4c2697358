import { RuntimeError } from "../../../errors.js";
import { SeededRandom } from "../../../simulation/seeded-random.js";
import type { SagaTestOptions, TestedSaga } from "../checks/saga-check-options.js";
import { expectEnd } from "../checks/saga-under-test.js";
import { TestedRun } from "../checks/tested-run.js";
import { RandomFaults, type SimulatedFaults } from "./random-faults.js";

export interface SimulateSagaOptions extends SagaTestOptions {
  /** How many, from 1 on; or which ones. */
  readonly seeds: number | readonly number[];
  readonly faults?: SimulatedFaults;
}

export interface SagaSimulationReport {
  readonly seeds: number;
  /** Runs by how they ended. */
  readonly ends: ReadonlyMap<string, number>;
  /** What went wrong on the way, by kind. */
  readonly faults: ReadonlyMap<string, number>;
  /** Attempts at steps and compensations. */
  readonly calls: number;
  /** Test time in all, ms. */
  readonly virtualMs: number;
}

/** Wishes of an operator for a run that waits for one, before it is left there. */
const OPERATOR_TRIES = 3;

/**
 * Runs the saga once for each seed, in test time, while processes die, the store fails, participants refuse, fail, do things twice and do
 * not answer, and somebody cancels. Then everything works again and an operator resumes what is stuck; the run ends, or stays parked for a reason
 * of its own. Each row is judged by the invariants of the runtime, the end by them and by `afterEach`. The same seed is the same life, as
 * long as handlers depend on nothing but what they are given. Error: `SagaCheckFailed`, which names the seed.
 */
export async function simulateSaga(saga: TestedSaga, options: SimulateSagaOptions): Promise<SagaSimulationReport> {
  const seeds =
    typeof options.seeds === "number" ? Array.from({ length: options.seeds }, (_, n) => n + 1) : options.seeds;
  if (seeds.length === 0)
    throw new RuntimeError(
      "input-invalid",
      "expected at least one seed, got none; give `seeds: 100`, or a list of them",
    );
  const usualMs = await usualLength(saga, options);
  const [ends, faults] = [new Map<string, number>(), new Map<string, number>()];
  let [calls, virtualMs] = [0, 0];
  for (const seed of seeds) {
    const { outcome, struck, ms } = await live(saga, options, seed, usualMs);
    add(ends, outcome.status, 1);
    for (const [kind, times] of struck) add(faults, kind, times);
    calls += outcome.calls.length;
    virtualMs += ms;
  }
  return { seeds: seeds.length, ends, faults, calls, virtualMs };
}

async function live(saga: TestedSaga, options: SimulateSagaOptions, seed: number, usualMs: number) {
  const random = new SeededRandom(seed);
  const faults = new RandomFaults(random, options.faults ?? {});
  const cancelAfterMs = faults.cancels ? random.below(Math.max(1, usualMs)) : null;
  let [ms, isDone] = [0, (_: string, __: string): boolean => false];
  const outcome = await TestedRun.perform(saga, options, {
    check: `seed ${seed} of simulateSaga; replay it with { seeds: [${seed}] }`,
    world: {
      seed,
      store: faults.store,
      faultOf: (place) => faults.faultOf(place, isDone(place.stage, place.direction)),
    },
    onWrite: (when, process) => faults.onWrite(when, process),
    plant: ({ log }) => {
      isDone = (stage, direction) =>
        log.calls.some((call) => call.stage === stage && call.direction === direction && call.result === "done");
    },
    during: async (run) => {
      const { world } = run;
      if (cancelAfterMs !== null) {
        const wish = { reason: "the simulation cancels it", actor: "simulation", idempotencyKey: "cancel" };
        world.time.watched(world.time.clock, world).after(cancelAfterMs, () => {
          world.request((manager) => manager.act(run.id, "cancel", wish));
        });
      }
      await run.until(() => false, "the run to end");
      faults.calm();
      await operate(run);
      ms = world.time.clock.monotonic();
    },
    judge: () => {},
  });
  return { outcome, struck: faults.all, ms };
}

/** Resumes what waits for an operator, children first: whoever waits for them goes on by itself. */
async function operate(run: TestedRun): Promise<void> {
  const { world } = run;
  for (let tries = 0; tries < OPERATOR_TRIES; tries++) {
    const parked = world.runs.filter(({ status }) => status === "stuck" || status === "paused");
    for (const { id } of parked.toReversed()) {
      const wish = { reason: "the simulation is over", actor: "simulation", idempotencyKey: `resume ${tries}` };
      await world.ask((manager) => manager.act(id, "resume", wish)).catch(unlessForbidden);
    }
    await run.until(() => false, "the run to end");
  }
}

/** It went on meanwhile. */
function unlessForbidden(error: unknown): void {
  if (!(error instanceof RuntimeError && (error.code === "verb-forbidden" || error.code === "run-ended"))) throw error;
}

/** Test time of a run in which all goes well. Error: `SagaCheckFailed` when it does not. */
async function usualLength(saga: TestedSaga, options: SimulateSagaOptions): Promise<number> {
  const { run } = await TestedRun.perform(saga, options, {
    check: "completes",
    judge: (outcome, tested) => expectEnd(tested, outcome, "completed"),
  });
  return (run.endedAt ?? run.createdAt) - run.createdAt;
}

function add(counts: Map<string, number>, kind: string, times: number): void {
  counts.set(kind, (counts.get(kind) ?? 0) + times);
}
