#!/usr/bin/env node
// Runs bank.ts, which is checked by the compiler and never built.
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const file = fileURLToPath(new URL("bank.ts", import.meta.url));
const { module } = await runnerImport(file, { configFile: false, logLevel: "error" });
process.exit(await module.main(process.argv.slice(2)));
