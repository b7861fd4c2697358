import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";
const { module } = await runnerImport(fileURLToPath(new URL("try.ts", import.meta.url)), { configFile: false, logLevel: "error" });
await module.main();
