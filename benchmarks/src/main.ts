import { bench } from "./bench.js";
import { readOptions, USAGE } from "./options.js";
import { reportText } from "./report.js";
import { saveResult, writeReadmeTables } from "./results-file.js";

const [suite, ...args] = process.argv.slice(2);

/** Exit code: 0; 1 when a contender failed or the arguments were wrong. */
async function main(): Promise<number> {
  if (suite === "table") {
    writeReadmeTables();
    return 0;
  }
  if (suite !== "sagas") throw new Error(USAGE);
  const options = readOptions(args);
  const result = await bench(options, (line) => console.error(line));
  console.log(reportText(result));
  console.log(JSON.stringify(result));
  if (options.save) saveResult(result);
  return result.failures.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
