import { describe } from "vitest";
import { advancing } from "./event-store/advancing.js";
import { appending } from "./event-store/appending.js";
import { grouping } from "./event-store/grouping.js";
import { handling } from "./event-store/handling.js";
import { eventTestWith } from "./event-store/harness.js";
import { leasing } from "./event-store/leasing.js";
import { listening } from "./event-store/listening.js";
import { opening } from "./event-store/opening.js";
import { parking } from "./event-store/parking.js";
import { pruning } from "./event-store/pruning.js";
import { putting } from "./event-store/putting.js";
import { reading } from "./event-store/reading.js";
import { refusing } from "./event-store/refusing.js";
import { transacting } from "./event-store/transacting.js";
import type { RunStoreTraits } from "./run-store-contract/harness.js";

/**
 * The contract of `EventStore`, and of the `events` of a run's writes, as Vitest tests, over the same stores as `runStoreContract`:
 * `eventStoreContract("my store", { open, singleWorker: false })`.
 */
export function eventStoreContract(name: string, traits: RunStoreTraits): void {
  const test = eventTestWith(traits);
  describe(`${name}: event store contract`, () => {
    opening(test, traits);
    putting(test);
    reading(test);
    refusing(test);
    transacting(test);
    appending(test);
    leasing(test);
    advancing(test);
    grouping(test);
    pruning(test);
    handling(test);
    parking(test);
    listening(test);
  });
}
