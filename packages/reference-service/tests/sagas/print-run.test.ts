/** Yours: what print_run does when stages fail, are done twice, are cancelled, and when its process dies. */
import { type SagaTestOptions, sagaChecks } from "@clean-arch/runtime/testing/sagas";
import { describe, test } from "vitest";
import { printRunSaga } from "../../src/application/sagas/print-run.saga.generated.js";

// Services are simulated here, once per key. Give `participants` to test your own, and `afterEach` to judge what they leave behind.
const options: SagaTestOptions = {
  input: {},
};

describe("print_run", () => {
  for (const check of sagaChecks(printRunSaga, options)) test(check.name, check.run);
});
