import { describe, expect, it } from "vitest";
import type { MapStep } from "../saga/definition.js";
import { type Core, CoreSimulation, realCore } from "../simulation/core-simulation.js";
import { InvariantBroken } from "../simulation/invariant-broken.js";
import { randomPlan } from "../simulation/random-plan.js";
import { SeededRandom } from "../simulation/seeded-random.js";
import { decide } from "./decide.js";
import { recordEvaluation } from "./evaluation.js";
import { fold } from "./fold.js";
import { recordOutcome } from "./outcome.js";
import type { PlannedStep, RunPlan } from "./plan.js";
import type { StepState } from "./state.js";

const SCHEDULES = Number(process.env.CORE_SCHEDULES ?? 5_000);

function simulate(core: Core, seed: number, crashAt: number | null = null) {
  const random = new SeededRandom(seed);
  return new CoreSimulation(core, random, randomPlan(random), crashAt).run();
}

/** The first seed whose schedule breaks an invariant; null when none of them does. */
function firstBreach(core: Core, seeds = SCHEDULES): { seed: number; error: unknown } | null {
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      simulate(core, seed);
    } catch (error) {
      return { seed, error };
    }
  }
  return null;
}

function withMaps(plan: RunPlan, change: (map: MapStep) => MapStep): RunPlan {
  const of = (step: PlannedStep): PlannedStep =>
    step.definition.kind === "map" ? { ...step, definition: change(step.definition) } : step;
  return { ...plan, waves: plan.waves.map((wave) => wave.map(of)) };
}

const byPlaceBackwards = (a?: StepState, b?: StepState): number => (b?.item?.index ?? 0) - (a?.item?.index ?? 0);

describe("the pure core, over random graphs, failures, crashes and duplicates", () => {
  it("keeps the invariants at every boundary of the journal", () => {
    const ends = new Map<string, number>();
    let [crashes, duplicates, rows] = [0, 0, 0];
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      try {
        const schedule = simulate(realCore, seed);
        const end = schedule.state.end?.status ?? (schedule.state.paused ? "paused" : "stuck");
        ends.set(end, (ends.get(end) ?? 0) + 1);
        crashes += schedule.crashes;
        duplicates += schedule.duplicates;
        rows += schedule.rows.length;
      } catch (error) {
        throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
      }
    }
    console.info(
      `core: ${SCHEDULES} schedules, ${rows} journal rows, ${crashes} crashes, ${duplicates} late or doubled calls; ends: ${JSON.stringify(Object.fromEntries([...ends].sort()))}`,
    );
    // A simulation that never reaches an end tests nothing of it.
    for (const end of ["completed", "compensated", "failed", "cancelled", "stuck", "paused"])
      expect(ends.get(end), end).toBeGreaterThan(SCHEDULES / 200);
  }, 120_000);

  it("keeps them when the owner dies once, at each boundary in turn", () => {
    let schedules = 0;
    for (let seed = 1; seed <= SCHEDULES / 10; seed++) {
      let boundaries = 1;
      for (let crashAt = 0; crashAt <= boundaries; crashAt++) {
        try {
          const schedule = simulate(realCore, seed, crashAt);
          // Without a crash (0) the schedule tells how many boundaries it has.
          if (crashAt === 0) boundaries = schedule.boundaries;
          schedules += 1;
        } catch (error) {
          throw new Error(`seed ${seed}, boundary ${crashAt}: ${String(error)}`, { cause: error });
        }
      }
    }
    console.info(`core: ${schedules} schedules with one crash each, every boundary of ${SCHEDULES / 10} runs`);
    expect(schedules).toBeGreaterThan(SCHEDULES);
  }, 120_000);

  const planted: Record<string, Core> = {
    "compensations in forward order": {
      ...realCore,
      decide(plan, state, now) {
        if (state.phase !== "unwinding" || state.running > 0) return decide(plan, state, now);
        const wave = state.wave;
        state.wave = plan.waves.length;
        const decision = decide({ ...plan, waves: [...plan.waves].reverse() }, state, now);
        state.wave = wave;
        return decision;
      },
    },
    "an effect before its dispatch is durable": { ...realCore, performsBeforeAppend: true },
    "an unknown outcome taken for a failure": {
      ...realCore,
      recordOutcome(plan, state, attempt, outcome, random) {
        const record = recordOutcome(plan, state, attempt, outcome, random);
        return record.kind === "failed" ? { ...record, mayHaveRun: false } : record;
      },
    },
    "retries that do not wait": { ...realCore, decide: (plan, state, now) => decide(plan, state, now + 300) },
    "a recovery that forgets what was under way": {
      ...realCore,
      fold: (plan, createdAt, rows) => {
        const state = fold(plan, createdAt, rows);
        for (const step of state.steps.values()) {
          if (step.forward.status === "interrupted") Object.assign(step.forward, { status: "idle", mayHaveRun: false });
        }
        return state;
      },
    },
    "a step that runs again under the key of its first round": {
      ...realCore,
      decide(plan, state, now) {
        const decision = decide(plan, state, now);
        const records = decision.records.map((record) =>
          record.kind === "dispatched" ? { ...record, round: 1 } : record,
        );
        return { ...decision, records };
      },
    },
    "a retry that does not undo what it is to do again": {
      ...realCore,
      decide(plan, state, now) {
        if (state.unwindTo !== null) state.unwindTo = plan.waves.length;
        return decide(plan, state, now);
      },
    },
    "a paused run that goes on": {
      ...realCore,
      decide(plan, state, now) {
        const { paused } = state;
        state.paused = false;
        const decision = decide(plan, state, now);
        state.paused ||= paused;
        return decision;
      },
    },
    "a recovery that forgets what a function saved": {
      ...realCore,
      fold(plan, createdAt, rows) {
        const state = fold(plan, createdAt, rows);
        for (const step of state.steps.values()) step.task?.ops.clear();
        return state;
      },
    },
    "a function that stops waiting early": {
      ...realCore,
      decide(plan, state, now) {
        const isWaiting = [...state.steps.values()].some((step) => step.task !== null && step.task.open.size > 0);
        return decide(plan, state, isWaiting ? now + 300 : now);
      },
    },
    "suspects that nobody isolates": {
      ...realCore,
      fold(plan, createdAt, rows) {
        const state = fold(plan, createdAt, rows);
        state.crashes.survived = 0;
        return state;
      },
    },
    "one crash too few for poison": {
      ...realCore,
      decide: (plan, state, now) => decide({ ...plan, maxCrashes: plan.maxCrashes - 1 }, state, now),
    },
    "a signal that is forgotten where the definition is gone": {
      ...realCore,
      fold(plan, createdAt, rows) {
        const state = fold(plan, createdAt, rows);
        if (plan === null) state.signals.pop();
        return state;
      },
    },
    "a sleep that a recovery shortens": {
      ...realCore,
      fold: (plan, createdAt, rows) => {
        const state = fold(plan, createdAt, rows);
        for (const { forward } of state.steps.values())
          if (forward.status === "suspended" && forward.dueAt !== null) forward.dueAt -= 500;
        return state;
      },
    },
    "a signal that two steps take": {
      ...realCore,
      decide(plan, state, now) {
        const kept = [...state.signals];
        const decision = decide(plan, state, now);
        state.signals.splice(0, state.signals.length, ...kept);
        return decision;
      },
    },
    "a condition that nobody heeds": {
      ...realCore,
      recordEvaluation(plan, state, step, evaluation) {
        const value = plan.steps.get(step)?.definition.kind === "map" ? [1] : 0;
        return recordEvaluation(plan, state, step, evaluation.kind === "skip" ? { kind: "values", value } : evaluation);
      },
    },
    "a skipped step taken for one that may have run": {
      ...realCore,
      decide(plan, state, now) {
        for (const { forward } of state.steps.values()) if (forward.status === "skipped") forward.mayHaveRun = true;
        return decide(plan, state, now);
      },
    },
    "expressions that are evaluated for each attempt": {
      ...realCore,
      decide(plan, state, now) {
        for (const step of state.steps.values()) if (step.forward.status === "waiting") step.evaluated = null;
        return decide(plan, state, now);
      },
    },
    "a child that goes on when its parent is undone": {
      ...realCore,
      decide(plan, state, now) {
        for (const { forward } of state.steps.values()) if (forward.status === "suspended") forward.mayHaveRun = false;
        return decide(plan, state, now);
      },
    },
    "a child that completed and is not undone": {
      ...realCore,
      decide: (plan, state, now) =>
        decide(
          {
            ...plan,
            waves: plan.waves.map((wave) =>
              wave.map((step) => (step.definition.kind === "child" ? { ...step, compensation: null } : step)),
            ),
          },
          state,
          now,
        ),
    },
    "a child that is joined before it has ended": {
      ...realCore,
      decide(plan, state, now) {
        for (const { forward } of state.steps.values()) {
          if (forward.child === null || state.childEnds?.has(forward.child.run)) continue;
          state.childEnds ??= new Map();
          state.childEnds.set(forward.child.run, { status: "completed", output: null, error: null });
        }
        return decide(plan, state, now);
      },
    },
    "more items at once than there is room for": {
      ...realCore,
      decide: (plan, state, now) =>
        decide(
          withMaps(plan, (map) => ({ ...map, concurrency: 9 })),
          state,
          now,
        ),
    },
    "results that do not wait for the last item": {
      ...realCore,
      decide(plan, state, now) {
        for (const { items } of state.steps.values()) if (items !== null && items.open.size === 1) items.open.clear();
        return decide(plan, state, now);
      },
    },
    "items that begin though another one has failed": {
      ...realCore,
      decide(plan, state, now) {
        for (const { items } of state.steps.values()) {
          for (const index of items?.open ?? [])
            if (items?.steps[index]?.forward.status === "failed") items.open.delete(index);
        }
        return decide(plan, state, now);
      },
    },
    "items undone first to last": {
      ...realCore,
      decide(plan, state, now) {
        for (const { items } of state.steps.values())
          if (state.phase === "unwinding" && items !== null) items.steps.sort(byPlaceBackwards);
        return decide(plan, state, now);
      },
    },
    "a pivot that is not respected": {
      ...realCore,
      decide: (plan, state, now) => decide({ ...plan, pivotAfterWave: null }, state, now),
    },
  };

  it.each(Object.entries(planted))("finds a planted bug: %s", (_, core) => {
    const breach = firstBreach(core);
    expect(breach?.error).toBeInstanceOf(InvariantBroken);
  });
});
