import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const check = fileURLToPath(new URL("check.mjs", import.meta.url));
const tally = fileURLToPath(new URL("../.ci/tally.mjs", import.meta.url));
const names = ["types", "lint", "dead-code", "imports", "spelling", "tidy"];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "check-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const node = (...args: string[]) => spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1) ?? "";

describe("npm run check", () => {
  /** A project whose checks do nothing, except the failing ones, which say so. */
  const runChecks = (failing: string[]) => {
    const script = (name: string) => (failing.includes(name) ? `echo planted in ${name} && exit 3` : "exit 0");
    const scripts = Object.fromEntries(names.map((name) => [name, script(name)]));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "planted", private: true, scripts }));
    const run = node(check, "--json", join(folder, "checks.json"));
    return { run, report: JSON.parse(readFileSync(join(folder, "checks.json"), "utf8")) };
  };

  it("runs every check and exits with 0 when all pass", { timeout: 60_000 }, () => {
    const { run, report } = runChecks([]);
    expect(report.passed.toSorted()).toEqual(names.toSorted());
    expect(lastLine(run.stdout)).toBe("checks: 6 passed, 0 failed");
    expect(run.status).toBe(0);
  });

  it("reports every failure with its output, not only the first", { timeout: 60_000 }, () => {
    const { run, report } = runChecks(["types", "spelling"]);
    expect(report.failed.toSorted()).toEqual(["spelling", "types"]);
    expect(run.stdout).toContain("planted in types");
    expect(run.stdout).toContain("planted in spelling");
    expect(lastLine(run.stdout)).toBe("checks: 4 passed, 2 failed: types, spelling");
    expect(run.status).toBe(1);
  });
});

describe("the tally of a continuous integration run", () => {
  const checks = { passed: ["types", "lint"], failed: [] as string[] };
  const tests = { numPassedTests: 5, numFailedTests: 0, testResults: [] as object[] };

  const count = (reports: { checks?: object; tests?: object }, checksExit = 0, testsExit = 0) => {
    mkdirSync(folder, { recursive: true });
    for (const [name, report] of Object.entries(reports)) writeFileSync(join(folder, name), JSON.stringify(report));
    const run = node(tally, "checks", String(checksExit), "tests", String(testsExit));
    return [lastLine(run.stdout), run.status];
  };

  it("adds checks and tests", () => {
    expect(count({ checks, tests })).toEqual(["7 passed, 0 failed", 0]);
  });

  it("counts failed checks and failed tests", () => {
    const failing = { checks: { ...checks, failed: ["tidy"] }, tests: { ...tests, numFailedTests: 2 } };
    expect(count(failing, 1, 1)).toEqual(["7 passed, 3 failed", 1]);
  });

  it("counts a test file that could not be loaded", () => {
    const testResults = [{ status: "failed", assertionResults: [] }];
    expect(count({ checks, tests: { ...tests, testResults } }, 0, 1)).toEqual(["7 passed, 1 failed", 1]);
  });

  it("counts a run without a report, or with an exit code that nothing explains, as a failure", () => {
    expect(count({ checks }, 0, 2)).toEqual(["2 passed, 1 failed", 1]);
    expect(count({ checks, tests }, 0, 1)).toEqual(["7 passed, 1 failed", 1]);
  });
});
