import { describe } from "vitest";
import { appending } from "./run-store-contract/appending.js";
import { claiming } from "./run-store-contract/claiming.js";
import { creating } from "./run-store-contract/creating.js";
import { delaying } from "./run-store-contract/delaying.js";
import { type RunStoreTraits, testWith } from "./run-store-contract/harness.js";
import { leases } from "./run-store-contract/leases.js";
import { messaging } from "./run-store-contract/messaging.js";
import { opening } from "./run-store-contract/opening.js";
import { querying } from "./run-store-contract/querying.js";
import { queueing } from "./run-store-contract/queueing.js";
import { restarting } from "./run-store-contract/restarting.js";
import { searching } from "./run-store-contract/searching.js";
import { signaling } from "./run-store-contract/signaling.js";
import { transacting } from "./run-store-contract/transacting.js";

export type { EffectsUnderTest, RunStoreTraits, RunStoreUnderTest } from "./run-store-contract/harness.js";

/**
 * The contract of `RunStore` as Vitest tests, for every store there is and every one you write. Call it in a test file:
 * `runStoreContract("my store", { open, singleWorker: false })`.
 */
export function runStoreContract(name: string, traits: RunStoreTraits): void {
  const test = testWith(traits);
  describe(`${name}: run store contract`, () => {
    opening(test, traits);
    creating(test);
    restarting(test);
    claiming(test);
    queueing(test, traits);
    delaying(test);
    appending(test);
    transacting(test);
    leases(test, traits);
    signaling(test);
    messaging(test);
    querying(test);
    searching(test);
  });
}
