import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  // Workspace packages export their TypeScript under the `source` condition, so tests never run a stale build.
  ssr: { resolve: { conditions: ["source", "module", "node", "development|production"] } },
  resolve: { conditions: ["source"] },
  test: {
    include: [
      "packages/*/{src,tests}/**/*.test.ts",
      "tools/**/*.test.ts",
      "examples/*/*.test.ts",
      "benchmarks/src/**/*.test.ts",
    ],
    testTimeout: 20_000,
    // Tests wait for servers more than they compute, so that two take turns on one core; the default on two cores is one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});
