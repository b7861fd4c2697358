import type { SagaCheck } from "./saga-check.js";
import { endOfFailure, type ShapedStep } from "./saga-shape.js";
import { expectEnd, plannedStep, type SagaUnderTest } from "./saga-under-test.js";

/** Each step fails: for good, and what came before is undone; past the pivot for a while, and the run goes on. */
export function failingChecks(saga: SagaUnderTest): SagaCheck[] {
  return saga.shape.steps.flatMap((step) => {
    if (step.definition.kind === "wait") return [noSignal(saga, step)];
    const by = saga.shape.failsBy(step);
    if (by === null) return [];
    return [step.isPastPivot ? failsForAWhile(saga, step, by) : failsForGood(saga, step, by)];
  });
}

type FailsBy = NonNullable<ReturnType<SagaUnderTest["shape"]["failsBy"]>>;

function failsForGood(saga: SagaUnderTest, step: ShapedStep, by: FailsBy): SagaCheck {
  const name = `"${step.name}" fails for good: what was done is undone, and nothing after it is begun`;
  return {
    name,
    run: async () => {
      const isPerformed = await saga.isPerformed(step.name);
      const later = saga.shape.steps.filter(({ wave }) => wave > step.wave).map((each) => each.name);
      await saga.play({
        check: name,
        plant: ({ faults }) =>
          faults.add({ ...by, direction: "forward", fault: { kind: "refused", status: 422, message: "injected: no" } }),
        judge: (outcome, run) => {
          const plan = run.world.registry.find(run.definition.name, run.definition.version);
          if (!isPerformed || plan === undefined) return expectEnd(run, outcome, "completed");
          expectEnd(run, outcome, endOfFailure(plan));
          const begun = later.find((each) => run.world.log.of(each, "forward").some((call) => call.run === run.id));
          if (begun !== undefined) throw run.failed(`expected nothing after "${step.name}" to begin, got "${begun}"`);
        },
      });
    },
  };
}

function failsForAWhile(saga: SagaUnderTest, step: ShapedStep, by: FailsBy): SagaCheck {
  const name = `"${step.name}" fails for a while, past the pivot: the run goes on to its end`;
  return {
    name,
    run: async () => {
      await saga.play({
        check: name,
        plant: (world) => {
          const { maxAttempts } = world.config.recovery;
          const fault = { kind: "failed", status: 503, message: "injected: down" } as const;
          world.faults.add({ ...by, direction: "forward", times: maxAttempts + 1, fault });
        },
        judge: (outcome, run) => {
          const { recovery } = run.world.config;
          const isOwn = by.saga === undefined;
          if (recovery.enabled && isOwn && plannedStep(run, step.name).retry.nonRetryable.length === 0)
            return expectEnd(run, outcome, "completed");
          // What is not tried again is left to an operator there, never undone.
          expectEnd(run, outcome, "completed", "stuck", "failed");
        },
      });
    },
  };
}

function noSignal(saga: SagaUnderTest, step: ShapedStep): SagaCheck {
  const name = `nobody answers "${step.name}": its time runs out`;
  return {
    name,
    run: async () => {
      const isPerformed = await saga.isPerformed(step.name);
      await saga.play({
        check: name,
        isMuted: (waits) => waits === step.name,
        judge: (outcome, run) => {
          const plan = run.world.registry.find(run.definition.name, run.definition.version);
          if (!isPerformed || plan === undefined || goesOn(step)) return expectEnd(run, outcome, "completed");
          // Nobody undoes what is past the pivot, and nobody can make a signal come.
          expectEnd(run, outcome, step.isPastPivot ? "stuck" : endOfFailure(plan));
        },
      });
    },
  };
}

/** The saga takes it as an answer of its own when the signal does not come. */
function goesOn({ definition }: ShapedStep): boolean {
  return definition.kind === "wait" && !["fail", "refuse"].includes(definition.onTimeout);
}
