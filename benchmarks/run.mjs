#!/usr/bin/env node
/**
 * `npm run bench -- SUITE OPTIONS` of the root: installs what the peers need (once, from the lock file of this folder), builds the runtime
 * and the bench, also the peers' programs, whose types are checked here and only here, and runs it.
 */
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("..", import.meta.url));

function changedAt(file) {
  return statSync(`${folder}/${file}`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function run(command, args, cwd) {
  // What is said on the way goes to the standard error: the last line of the standard output is the result.
  const { status } = spawnSync(command, args, { cwd, stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}

// npm writes this file at the end of an installation.
if (changedAt("node_modules/.package-lock.json") < changedAt("package-lock.json"))
  run("npm", ["ci", "--no-progress"], folder);
// Two programs, because a request cannot have two kinds of session in one.
run("npx", ["tsc", "-b", "benchmarks/tsconfig.peers.json", "benchmarks/tsconfig.ours.json"], root);
const { status } = spawnSync(process.execPath, [`${folder}/dist/main.js`, ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
});
process.exitCode = status ?? 1;
