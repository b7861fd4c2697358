/** Yours: what reprice_volumes does when stages fail, are done twice, are cancelled, and when its process dies. */
import { type SagaTestOptions, sagaChecks } from "@clean-arch/runtime/testing/sagas";
import { describe, test } from "vitest";
import { repriceVolumesBatch } from "../../src/application/sagas/reprice-volumes.batch.generated.js";

// Services are simulated here, once per key. Give `participants` to test your own, and `afterEach` to judge what they leave behind.
const options: SagaTestOptions = {
  input: {},
  items: [
    {
      page_count: 2,
      title: "sample",
    },
    {
      page_count: 2,
      title: "sample",
    },
  ],
};

describe("reprice_volumes", () => {
  for (const check of sagaChecks(repriceVolumesBatch, options)) test(check.name, check.run);
});
