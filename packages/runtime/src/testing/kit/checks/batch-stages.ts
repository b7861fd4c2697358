import { isObject } from "../../../json.js";
import type { BatchStep } from "../../../saga/definition.js";
import type { StepFault } from "../step-faults.js";
import type { SagaCheck } from "./saga-check.js";
import { expectEnd, type SagaUnderTest } from "./saga-under-test.js";

/** Each stage of a batch fails for good for one item, and is done twice for one. */
export function batchStageChecks(saga: SagaUnderTest): SagaCheck[] {
  return saga.shape.steps.flatMap(({ definition }) => {
    if (definition.kind !== "batch" || definition.work.kind !== "stages") return [];
    return definition.work.stages.flatMap(({ name }) => [itemFails(saga, definition, name), itemTwice(saga, name)]);
  });
}

const REFUSED: StepFault = { kind: "refused", status: 422, message: "injected: no" };

function itemFails(saga: SagaUnderTest, batch: BatchStep, stage: string): SagaCheck {
  const name = `"${stage}" of one item fails for good: the item is counted, and the others go on as far as the budget allows`;
  return {
    name,
    run: async () => {
      await saga.play({
        check: name,
        plant: ({ faults }) => faults.add({ stage, direction: "forward", times: 1, fault: REFUSED }),
        judge: (outcome, run) => {
          if (run.world.faults.struck.length === 0) return expectEnd(run, outcome, "completed");
          if (batch.maxFailures === 0) return expectEnd(run, outcome, "stuck", "failed");
          expectEnd(run, outcome, "completed", "stuck", "failed");
          const { output } = outcome.run;
          const failed = isObject(output) ? output.failed : undefined;
          if (outcome.status === "completed" && failed !== 1)
            throw run.failed(`expected one failed item in the output, got ${JSON.stringify(output)}`);
        },
      });
    },
  };
}

function itemTwice(saga: SagaUnderTest, stage: string): SagaCheck {
  const name = `"${stage}" of one item is done twice, under one key: its first reply is lost`;
  return {
    name,
    run: async () => {
      await saga.play({
        check: name,
        plant: ({ faults }) => faults.add({ stage, direction: "forward", times: 1, fault: { kind: "reply-lost" } }),
        judge: (outcome, run) => {
          expectEnd(run, outcome, "completed");
          const struck = run.world.faults.struck[0]?.stage;
          const asked = outcome.calls.filter((call) => call.stage === struck && call.direction === "forward");
          if (struck !== undefined && asked.length < 2)
            throw run.failed(`expected "${struck}" to be asked for at least twice, got ${asked.length}`);
        },
      });
    },
  };
}
