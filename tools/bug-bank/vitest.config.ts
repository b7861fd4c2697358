import { fileURLToPath } from "node:url";
import { defineConfig, mergeConfig } from "vitest/config";
import base from "../../vitest.config.js";
import { mutants } from "./mutants.js";
import { plant } from "./mutated-source.js";

/** The tests as they are, on a source with one planted bug: PLANTED_BUG names it, PLANTED_BUG_FOLDER is an empty folder. */
const mutant = mutants.find(({ name }) => name === process.env.PLANTED_BUG);
if (mutant === undefined) throw new Error(`expected PLANTED_BUG to name a mutant, got ${process.env.PLANTED_BUG}`);

export default mergeConfig(
  base,
  defineConfig({
    root: fileURLToPath(new URL("../../", import.meta.url)),
    plugins: [plant(mutant, process.env.PLANTED_BUG_FOLDER ?? "")],
    test: { bail: 1, cache: false },
  }),
);
