import { describe } from "vitest";
import { advancing } from "./batch-store/advancing.js";
import { closing } from "./batch-store/closing.js";
import { failing } from "./batch-store/failing.js";
import { batchTestsWith } from "./batch-store/harness.js";
import { limiting } from "./batch-store/limiting.js";
import { opening } from "./batch-store/opening.js";
import { planting } from "./batch-store/planting.js";
import { refusing } from "./batch-store/refusing.js";
import { showing } from "./batch-store/showing.js";
import { takingOver } from "./batch-store/taking-over.js";
import { transacting } from "./batch-store/transacting.js";
import type { RunStoreTraits } from "./run-store-contract/harness.js";

/**
 * The contract of `BatchStore` as Vitest tests, over the same stores as `runStoreContract`:
 * `batchStoreContract("my store", { open, singleWorker: false })`.
 */
export function batchStoreContract(name: string, traits: RunStoreTraits): void {
  const tests = batchTestsWith(traits);
  describe(`${name}: batch store contract`, () => {
    opening(tests);
    planting(tests);
    advancing(tests);
    takingOver(tests);
    limiting(tests);
    failing(tests);
    closing(tests);
    transacting(tests);
    refusing(tests);
    showing(tests);
  });
}
