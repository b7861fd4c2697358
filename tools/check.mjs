#!/usr/bin/env node
/**
 * Runs every check of the repository and reports them all, not only the first that fails: a line per check, the output
 * of those that failed, and a summary. Exits with 1 when a check failed. The checks are npm scripts of the root, so
 * each can be run alone (`npm run lint`); they run two at a time, types first because the others may read its build.
 *
 * With `--json FILE` the results are also written to FILE as {passed, failed}, lists of names.
 */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs, stripVTControlCharacters } from "node:util";

const FIRST = ["types"];
const REST = ["lint", "dead-code", "imports", "spelling", "tidy"];
/** Lines of a failed check's output that are shown; the rest is one `npm run` away. */
const MAX_LINES = 120;

/** Runs one npm script; never rejects: a script that cannot be started is a failed check. */
function run(name) {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const child = spawn("npm", ["run", "--silent", name], { env: { ...process.env, NO_COLOR: "1" } });
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    const finish = (ok, problem = "") => {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      const output = stripVTControlCharacters(Buffer.concat(chunks).toString("utf8")) + problem;
      console.log(`${ok ? "ok    " : "FAILED"}  ${name.padEnd(9)}  ${seconds} s`);
      resolve({ name, ok, output });
    };
    child.on("error", (error) => finish(false, `npm could not be started: ${error.message}\n`));
    child.on("close", (code) => finish(code === 0));
  });
}

function excerpt(output) {
  const lines = output.trimEnd().split("\n");
  const hidden = lines.length - MAX_LINES;
  return hidden > 0 ? [...lines.slice(0, MAX_LINES), `... ${hidden} more lines`].join("\n") : lines.join("\n");
}

async function runAll(names, atOnce) {
  const queue = [...names];
  const results = [];
  const lane = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) results.push(await run(name));
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
}

const { values: flags } = parseArgs({ options: { json: { type: "string" } } });
const results = [...(await runAll(FIRST, 1)), ...(await runAll(REST, 2))];
const failed = results.filter(({ ok }) => !ok);
for (const { name, output } of failed) console.log(`\n--- npm run ${name} ---\n${excerpt(output)}`);

const passedNames = results.filter(({ ok }) => ok).map(({ name }) => name);
const failedNames = failed.map(({ name }) => name);
if (flags.json) writeFileSync(flags.json, JSON.stringify({ passed: passedNames, failed: failedNames }));
const which = failedNames.length > 0 ? `: ${failedNames.join(", ")}` : "";
console.log(`\nchecks: ${passedNames.length} passed, ${failedNames.length} failed${which}`);
process.exitCode = failedNames.length > 0 ? 1 : 0;
