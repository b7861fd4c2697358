/** Yours: what commission does when stages fail, are done twice, are cancelled, and when its process dies. */
import { type SagaTestOptions, sagaChecks } from "@clean-arch/runtime/testing/sagas";
import { describe, test } from "vitest";
import { commissionSaga } from "../../src/application/sagas/commission.saga.generated.js";
import { printRunSaga } from "../../src/application/sagas/print-run.saga.generated.js";

// Services are simulated here, once per key. Give `participants` to test your own, and `afterEach` to judge what they leave behind.
const options: SagaTestOptions = {
  input: { drying_ms: 1000 },
  signals: { proofs_approved: { copies: "sample" } },
  definitions: [printRunSaga],
};

describe("commission", () => {
  for (const check of sagaChecks(commissionSaga, options)) test(check.name, check.run);
});
