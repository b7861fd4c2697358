import { describe } from "vitest";
import type { RunStoreTraits } from "./run-store-contract/harness.js";
import { canceling } from "./schedule-store/canceling.js";
import { scheduleTestWith } from "./schedule-store/harness.js";
import { overlapping } from "./schedule-store/overlapping.js";
import { pausing } from "./schedule-store/pausing.js";
import { registering } from "./schedule-store/registering.js";
import { ticking } from "./schedule-store/ticking.js";

/**
 * The contract of `schedules` of a run store as Vitest tests, over the same stores as `runStoreContract`:
 * `scheduleStoreContract("my store", { open, singleWorker: false })`.
 */
export function scheduleStoreContract(name: string, traits: RunStoreTraits): void {
  const test = scheduleTestWith(traits);
  describe(`${name}: schedule store contract`, () => {
    registering(test);
    ticking(test);
    overlapping(test);
    canceling(test);
    pausing(test);
  });
}
