import { describe } from "vitest";
import { batchTestsWith } from "./batch-store/harness.js";
import { opening } from "./batch-store/opening.js";
import { planting } from "./batch-store/planting.js";
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
  });
}
