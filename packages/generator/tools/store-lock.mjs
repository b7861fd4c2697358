#!/usr/bin/env node
// Stores the lock file of a project of the reference service beside it, after a change of its dependencies: generates the
// project into a temporary folder, lets npm resolve it, keeps what it wrote. Needs the network; generating does not.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const packages = fileURLToPath(new URL("../../", import.meta.url));
const service = join(packages, "reference-service");
const stored = join(service, "package-lock.json");
const folder = mkdtempSync(join(tmpdir(), "clean-arch-lock-"));
const project = join(folder, "reference-service");
const run = (command, args, cwd) => execFileSync(command, args, { cwd, stdio: "inherit" });

try {
  rmSync(stored, { force: true });
  const generator = join(packages, "generator/bin/clean-arch-generator.js");
  run(process.execPath, [generator, "--config", join(service, "clean-arch.yaml"), "--out", project], folder);
  run("npm", ["install", "--package-lock-only", "--ignore-scripts"], project);
  run("npm", ["ci", "--ignore-scripts"], project);
  copyFileSync(join(project, "package-lock.json"), stored);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
