import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fail } from "./expectations.mjs";
import { run } from "./instance.mjs";
import { say } from "./say.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const example = join(root, "examples/example-config-session.yaml");

/** Where the demo's project lies. */
export function projectFolder(isChoreographed) {
  return join(root, isChoreographed ? "out/choreographed-order-service" : "out/order-service");
}

/** The example's project, generated, installed and built in `out`. */
export async function generate(out, isChoreographed) {
  const config = isChoreographed ? choreographed() : example;
  const cli = join(root, "packages/generator/bin/clean-arch-generator.js");
  const steps = [
    ["npm run build", "npm", ["run", "--silent", "build"], root],
    ["clean-arch-generator", process.execPath, [cli, "--config", config, "--out", out], root],
    ["npm ci", "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], out],
    ["npm run build", "npm", ["run", "--silent", "build"], out],
  ];
  for (const [name, command, args, folder] of steps) {
    if (name === "clean-arch-generator") clearOutput(out);
    say(`${name} (${(await run(command, args, folder)).toFixed(1)} s)`);
  }
}

/** The example with one word of it changed, and nothing else. */
function choreographed() {
  const path = join(root, "out/choreographed-config-session.yaml");
  const text = readFileSync(example, "utf8");
  const changed = text.replace('orchestration: "orchestration"', 'orchestration: "choreography"');
  if (changed === text) fail("expected the example to say orchestration, it does not");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, changed);
  return path;
}

/** Deletes the output of an earlier demo, and nothing else: a folder without our lock is somebody's. */
function clearOutput(out) {
  if (!existsSync(out)) return;
  if (!existsSync(join(out, ".clean-arch/lock.json")))
    fail(`expected ${out} to be an earlier demo's output, it has no .clean-arch/lock.json; move it away`);
  rmSync(out, { recursive: true, force: true });
}
