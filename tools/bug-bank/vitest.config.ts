import { fileURLToPath } from "node:url";
import { defineConfig, mergeConfig } from "vitest/config";
import base from "../../vitest.config.js";
import type { Mutant } from "./mutant.js";
import { plant } from "./mutated-source.js";

/** The tests as they are, on a source with one planted bug: PLANTED_BUG is the mutant, PLANTED_BUG_FOLDER an empty folder. */
const mutant = JSON.parse(process.env.PLANTED_BUG ?? "") as Mutant;

export default mergeConfig(
  base,
  defineConfig({
    root: fileURLToPath(new URL("../../", import.meta.url)),
    plugins: [plant(mutant, process.env.PLANTED_BUG_FOLDER ?? "")],
    test: { bail: 1, cache: false },
  }),
);
