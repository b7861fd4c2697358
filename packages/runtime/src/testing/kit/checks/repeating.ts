import type { Direction } from "../../../engine/records.js";
import { stepNameOf } from "../step-name.js";
import type { SagaCheck } from "./saga-check.js";
import type { SagaOutcome } from "./saga-check-options.js";
import { endOfFailure, type ShapedStep, undoesFailures } from "./saga-shape.js";
import { expectEnd, plannedStep, type SagaUnderTest } from "./saga-under-test.js";
import type { TestedRun } from "./tested-run.js";

/** Each step is done twice, and each compensation; and each step may have run, or not, and nobody knows. */
export function repeatingChecks(saga: SagaUnderTest): SagaCheck[] {
  const checks = saga.shape.acts.map((step) => stepTwice(saga, step));
  if (!undoesFailures(saga.options.config)) return checks;
  return [
    ...checks,
    ...saga.shape.undone.flatMap((step) => [
      undoneTwice(saga, step),
      nobodyKnows(saga, step, "it ran"),
      nobodyKnows(saga, step, "it did not run"),
    ]),
  ];
}

function stepTwice(saga: SagaUnderTest, step: ShapedStep): SagaCheck {
  const name = `"${step.name}" is done twice, under one key: its first reply is lost`;
  return {
    name,
    run: async () => {
      const isPerformed = await saga.isPerformed(step.name);
      await saga.play({
        check: name,
        plant: ({ faults }) =>
          faults.add({ stage: step.name, direction: "forward", times: 1, fault: { kind: "reply-lost" } }),
        judge: (outcome, run) => {
          const { retry } = plannedStep(run, step.name);
          const isRetried = retry.maxAttempts > 1 || (step.isPastPivot && run.world.config.recovery.enabled);
          const plan = run.world.registry.find(run.definition.name, run.definition.version);
          if (!isRetried && !committedItself(run, step.name) && plan !== undefined)
            return step.isPastPivot
              ? expectEnd(run, outcome, "failed", "stuck")
              : expectEnd(run, outcome, endOfFailure(plan));
          expectEnd(run, outcome, "completed");
          if (isPerformed) expectTwice(run, step.name, "forward");
        },
      });
    },
  };
}

function undoneTwice(saga: SagaUnderTest, step: ShapedStep): SagaCheck {
  const name = `the compensation of "${step.name}" is done twice, under one key: its first reply is lost`;
  return {
    name,
    run: async () => {
      const isPerformed = await saga.isPerformed(step.name);
      const performed = await saga.performed();
      const later = saga.shape.acts.find(
        (each) => each.wave > step.wave && !each.isPastPivot && performed.has(each.name),
      );
      await saga.play({
        check: name,
        plant: ({ faults }) => {
          faults.add({ stage: step.name, direction: "compensate", times: 1, fault: { kind: "reply-lost" } });
          if (later === undefined)
            faults.add({ stage: step.name, direction: "forward", fault: { kind: "reply-lost" } });
          else
            faults.add({
              ...{ stage: later.name, direction: "forward" },
              fault: { kind: "refused", status: 422, message: "injected: no" },
            });
        },
        judge: (outcome, run) => {
          const isUndone = later !== undefined || (isPerformed && !committedItself(run, step.name));
          if (!isUndone) return expectEnd(run, outcome, "completed");
          const { compensation } = plannedStep(run, step.name);
          if (isPerformed && compensation?.retry.maxAttempts === 1) return expectEnd(run, outcome, "stuck");
          expectEnd(run, outcome, "compensated");
          if (isPerformed) expectTwice(run, step.name, "compensate");
        },
      });
    },
  };
}

function nobodyKnows(saga: SagaUnderTest, step: ShapedStep, what: "it ran" | "it did not run"): SagaCheck {
  const name = `nobody knows whether "${step.name}" ran, and ${what}: its compensation sees to that`;
  const fault =
    what === "it ran"
      ? ({ kind: "reply-lost" } as const)
      : ({ kind: "failed", status: 503, message: "injected: nothing was done" } as const);
  return {
    name,
    run: async () => {
      const isPerformed = await saga.isPerformed(step.name);
      await saga.play({
        check: name,
        plant: ({ faults }) => faults.add({ stage: step.name, direction: "forward", fault }),
        judge: (outcome, run) => {
          if (!isPerformed || committedItself(run, step.name)) return expectEnd(run, outcome, "completed");
          expectEnd(run, outcome, "compensated");
          expectUnknown(outcome, run, step.name);
        },
      });
    },
  };
}

/** The attempt had committed the row that says so: then no reply can be lost. */
function committedItself(run: TestedRun, step: string): boolean {
  return run.world.faults.struck.some(
    ({ stage, attempt, direction }) =>
      direction === "forward" &&
      stepNameOf(stage) === step &&
      run.journal.some(({ records }) =>
        records.some((record) => record.kind === "completed" && record.step === stage && record.attempt === attempt),
      ),
  );
}

function expectTwice(run: TestedRun, step: string, direction: Direction): void {
  const calls = run.world.log.of(step, direction);
  const stage = calls[0]?.stage;
  const same = calls.filter((call) => call.stage === stage);
  if (same.length >= 2 || committedItself(run, step)) return;
  const what = direction === "forward" ? `"${step}"` : `the compensation of "${step}"`;
  throw run.failed(`expected ${what} to be asked for at least twice, got ${same.length}`);
}

function expectUnknown({ calls }: SagaOutcome, run: TestedRun, step: string): void {
  const undone = run.world.log.of(step, "compensate");
  if (undone.some(({ outcome }) => outcome === "unknown")) return;
  const seen = undone.map(({ outcome }) => outcome).join(", ") || "no call";
  throw run.failed(`expected a compensation of "${step}" with outcome unknown, got ${seen} in ${calls.length} calls`);
}
