import { batchStageChecks } from "./batch-stages.js";
import { cancellingChecks } from "./cancelling.js";
import { crashingChecks } from "./crashing.js";
import { failingChecks } from "./failing.js";
import { repeatingChecks } from "./repeating.js";
import type { SagaCheck } from "./saga-check.js";
import type { SagaTestOptions, TestedSaga } from "./saga-check-options.js";
import { expectEnd, SagaUnderTest } from "./saga-under-test.js";

/**
 * What a saga owes whoever starts it, as checks for any runner of tests: it completes; each step fails, is done twice, may have run or
 * not; each compensation is done twice; the process dies before and after each row; somebody cancels it during each step. Each check
 * runs the saga in test time, over a store in memory, and judges the invariants of the runtime and then, with `afterEach`, yours. A
 * choreographed saga is orchestrated here, for its steps do the same. Errors: `definition-invalid`, `config-invalid`.
 */
export function sagaChecks(saga: TestedSaga, options: SagaTestOptions = {}): readonly SagaCheck[] {
  const tested = new SagaUnderTest(saga, options);
  const completes: SagaCheck = {
    name: "completes",
    run: async () => {
      await tested.play({ check: "completes", judge: (outcome, run) => expectEnd(run, outcome, "completed") });
    },
  };
  return [
    completes,
    ...failingChecks(tested),
    ...repeatingChecks(tested),
    ...batchStageChecks(tested),
    ...cancellingChecks(tested),
    ...crashingChecks(tested),
  ];
}
