/**
 * Prints `N passed, N failed` from the reports of the checks and of Vitest, and exits with 1 when something failed.
 * A report that is missing, a test file that could not be loaded, and a non-zero exit code that no counted failure
 * explains each count as one failure: nothing that went wrong may look green.
 *
 * Usage: node tally.mjs CHECKS.json EXIT_CODE TESTS.json EXIT_CODE
 */
import { readFileSync } from "node:fs";

const [checksFile, checksExit, testsFile, testsExit] = process.argv.slice(2);

function read(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function countChecks(report) {
  return { passed: report.passed.length, failed: report.failed.length };
}

function countTests(report) {
  const unloaded = report.testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
  );
  return { passed: report.numPassedTests, failed: report.numFailedTests + unloaded.length };
}

function tally(name, report, count, exitCode) {
  const counted = report === undefined ? { passed: 0, failed: 0 } : count(report);
  const unexplained = counted.failed === 0 && (exitCode !== "0" || report === undefined);
  if (unexplained) console.log(`${name} ended with code ${exitCode}${report ? "" : " and without a report"}`);
  return { passed: counted.passed, failed: counted.failed + (unexplained ? 1 : 0) };
}

const checks = tally("npm run check", read(checksFile), countChecks, checksExit);
const tests = tally("npm test", read(testsFile), countTests, testsExit);
const failed = checks.failed + tests.failed;
console.log(`${checks.passed + tests.passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
