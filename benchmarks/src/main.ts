import { benchBatches } from "./batch/bench.js";
import { batchReport } from "./batch/report.js";
import { BATCH_SUITE } from "./batch/suite.js";
import { benchEvents } from "./events/bench.js";
import { eventReport } from "./events/report.js";
import { EVENT_SUITE } from "./events/suite.js";
import { readOptions, TABLE_USAGE, usage } from "./options.js";
import { writeReadmeTables } from "./readmes.js";
import { saveResult } from "./results-file.js";
import { benchSagas } from "./sagas/bench.js";
import { sagaReport } from "./sagas/report.js";
import { SAGA_SUITE } from "./sagas/suite.js";
import { benchSessions } from "./sessions/bench.js";
import { sessionReport } from "./sessions/report.js";
import { SESSION_SUITE } from "./sessions/suite.js";
import type { SuiteResult } from "./suite.js";

const [suite, ...args] = process.argv.slice(2);
const say = (line: string): void => console.error(line);

/** Exit code: 0; 1 when a contender failed or the arguments were wrong. */
async function main(): Promise<number> {
  switch (suite) {
    case "table":
      writeReadmeTables();
      return 0;
    case "sagas": {
      const options = readOptions(SAGA_SUITE, args);
      const result = await benchSagas(options, say);
      return finish(result, sagaReport(result), options.save);
    }
    case "sessions": {
      const options = readOptions(SESSION_SUITE, args);
      const result = await benchSessions(options, say);
      return finish(result, sessionReport(result), options.save);
    }
    case "events": {
      const options = readOptions(EVENT_SUITE, args);
      const result = await benchEvents(options, say);
      return finish(result, eventReport(result), options.save);
    }
    case "batch": {
      const options = readOptions(BATCH_SUITE, args);
      const result = await benchBatches(options, say);
      return finish(result, batchReport(result), options.save);
    }
    default:
      throw new Error(
        [usage(SAGA_SUITE), usage(SESSION_SUITE), usage(EVENT_SUITE), usage(BATCH_SUITE), TABLE_USAGE].join("\n"),
      );
  }
}

function finish(result: SuiteResult, report: string, save: boolean): number {
  console.log(report);
  console.log(JSON.stringify(result));
  if (save) {
    saveResult(result);
    writeReadmeTables();
  }
  return result.failures.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
