import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { SuiteName, SuiteResult } from "./suite.js";

const folder = new URL("../results/", import.meta.url);

/** The committed result of a suite; null when there is none yet. */
export function savedResult<R extends SuiteResult>(suite: R["suite"]): R | null {
  const file = fileOf(suite);
  if (!existsSync(file)) return null;
  const result: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (isResult<R>(result, suite)) return result;
  throw new Error(`expected a result of the suite ${suite} in ${fileURLToPath(file)}`);
}

/** Throws for a result that says less than it seems to. */
export function saveResult(result: SuiteResult): void {
  const missing = Object.values(result.ratios).includes(null);
  if (result.quick || missing || result.failures.length > 0)
    throw new Error(
      "expected a full run without failures to save, got another; run it again without --quick, --only and --scenarios",
    );
  mkdirSync(folder, { recursive: true });
  writeFileSync(fileOf(result.suite), `${JSON.stringify(result, null, 2)}\n`);
}

function fileOf(suite: SuiteName): URL {
  return new URL(`${suite}.json`, folder);
}

/** Only `saveResult` writes the file; what is checked is that it is that one. */
function isResult<R extends SuiteResult>(value: unknown, suite: R["suite"]): value is R {
  return typeof value === "object" && value !== null && "suite" in value && value.suite === suite && "ratios" in value;
}
