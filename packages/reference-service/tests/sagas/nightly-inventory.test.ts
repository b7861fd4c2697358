/** Yours: what nightly_inventory does when stages fail, are done twice, are cancelled, and when its process dies. */
import { type SagaTestOptions, sagaChecks } from "@clean-arch/runtime/testing/sagas";
import { describe, test } from "vitest";
import { nightlyInventoryBatch } from "../../src/application/sagas/nightly-inventory.batch.generated.js";

// Services are simulated here, once per key. Give `participants` to test your own, and `afterEach` to judge what they leave behind.
const options: SagaTestOptions = {
  input: {},
  items: ["sample", "sample"],
};

describe("nightly_inventory", () => {
  for (const check of sagaChecks(nightlyInventoryBatch, options)) test(check.name, check.run);
});
