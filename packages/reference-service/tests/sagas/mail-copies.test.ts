/** Yours: what mail_copies does when stages fail, are done twice, are cancelled, and when its process dies. */
import { type SagaTestOptions, sagaChecks } from "@clean-arch/runtime/testing/sagas";
import { describe, test } from "vitest";
import { mailCopiesSaga } from "../../src/application/sagas/mail-copies.saga.generated.js";

// Services are simulated here, once per key. Give `participants` to test your own, and `afterEach` to judge what they leave behind.
const options: SagaTestOptions = {
  input: { readers: [{ name: "sample" }, { name: "sample" }] },
  config: { saga: { timeoutMs: 300000 } },
};

describe("mail_copies", () => {
  for (const check of sagaChecks(mailCopiesSaga, options)) test(check.name, check.run);
});
