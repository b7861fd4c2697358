import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { withTables } from "./readme-table.js";
import type { BenchResult } from "./result.js";

const folder = new URL("../results/", import.meta.url);
const file = new URL("sagas.json", folder);
const readmes = ["README.md", "README.zh-CN.md"].map((name) => new URL(`../../${name}`, import.meta.url));

/** The committed result; null when there is none yet. */
export function savedResult(): BenchResult | null {
  if (!existsSync(file)) return null;
  const result: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (isResult(result)) return result;
  throw new Error(`expected a result of the suite sagas in ${fileURLToPath(file)}`);
}

/** Keeps the result, and writes the tables of the READMEs anew. Throws for a result that says less than it seems to. */
export function saveResult(result: BenchResult): void {
  const missing = Object.values(result.ratios).includes(null);
  if (result.quick || missing || result.failures.length > 0)
    throw new Error(
      "expected a full run without failures to save, got another; run it again without --quick, --only and --scenarios",
    );
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  writeReadmeTables();
}

export function writeReadmeTables(): void {
  const result = savedResult();
  for (const readme of readmes) writeFileSync(readme, withTables(readFileSync(readme, "utf8"), result));
}

/** Only `saveResult` writes the file; what is checked is that it is that one. */
function isResult(value: unknown): value is BenchResult {
  return (
    typeof value === "object" && value !== null && "suite" in value && value.suite === "sagas" && "ratios" in value
  );
}
