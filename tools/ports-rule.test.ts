import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/**
 * The lint rule that keeps clocks, timers, randomness and ids of the runtime behind its ports, tried on planted code:
 * a tree with this repository's Biome configuration and one file per form, linted once.
 */
const root = fileURLToPath(new URL("..", import.meta.url));

const refused = {
  "date-now": "export const at = Date.now();",
  "date-now-uncalled": "export const clock = Date.now;",
  "date-now-computed": 'export const at = Date["now"]();',
  "date-now-destructured": "export const { now } = Date;",
  "new-date": "export const at = new Date();",
  "date-call": "export const at = Date();",
  "performance-now": "export const at = performance.now();",
  "performance-import": 'export { performance } from "node:perf_hooks";',
  "math-random": "export const roll = Math.random();",
  "math-random-destructured": "export const { random } = Math;",
  "set-timeout": "export const timer = setTimeout(() => undefined, 1);",
  "set-interval": "export const timer = setInterval(() => undefined, 1);",
  "set-immediate": "export const timer = setImmediate(() => undefined);",
  "timers-import": 'import { setTimeout as sleep } from "node:timers/promises";\nexport const wait = () => sleep(1);',
  "global-this": "export const timer = globalThis.setTimeout(() => undefined, 1);",
  "abort-timeout": "export const signal = AbortSignal.timeout(1);",
  hrtime: "export const at = process.hrtime();",
  "hrtime-bigint": "export const at = process.hrtime.bigint();",
  "hrtime-import": 'export { hrtime } from "node:process";',
  "random-uuid": "export const id = crypto.randomUUID();",
  "random-values": "export const bytes = crypto.getRandomValues(new Uint8Array(8));",
  "random-uuid-import": 'import { randomUUID } from "node:crypto";\nexport const id = randomUUID();',
  "random-bytes-import": 'import { randomBytes } from "node:crypto";\nexport const bytes = randomBytes(8);',
  "crypto-default-import": 'import nodeCrypto from "node:crypto";\nexport const id = nodeCrypto.randomUUID();',
  "crypto-namespace-import": 'import * as nodeCrypto from "node:crypto";\nexport const id = nodeCrypto.randomUUID();',
};

const permitted = {
  "date-of-a-number": "export const at = (atMs: number): Date => new Date(atMs);",
  "date-parse": 'export const atMs = Date.parse("2026-01-01T00:00:00Z");',
  "date-utc": "export const atMs = Date.UTC(2026, 0);",
  "instance-of-date": "export const isDate = (value: unknown): value is Date => value instanceof Date;",
  "math-max": "export const top = Math.max(1, 2);",
  "queue-microtask": "queueMicrotask(() => undefined);",
  hash: 'import { createHash } from "node:crypto";\nexport const hash = createHash("sha256");',
  "clear-timeout": "export const stop = (timer: NodeJS.Timeout): void => clearTimeout(timer);",
};

const slips = [refused["date-now"], refused["math-random"], refused["set-timeout"]].join("\n");

/** Files where the rule does not apply: the ports themselves, tests, and the other packages. */
const exempt = {
  "packages/runtime/src/ports.ts": slips,
  "packages/runtime/src/run.test.ts": slips,
  "packages/generator/src/plan.ts": slips,
};

describe("the ports rule", () => {
  const tree = mkdtempSync(join(tmpdir(), "ports-rule-"));
  let findings: Map<string, string[]>;

  const plant = (path: string, source: string) => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), `${source}\n`);
  };

  beforeAll(() => {
    cpSync(join(root, "biome.json"), join(tree, "biome.json"));
    cpSync(join(root, "tools/lint"), join(tree, "tools/lint"), { recursive: true });
    for (const [name, source] of Object.entries(refused)) plant(`packages/runtime/src/engine/${name}.ts`, source);
    for (const [name, source] of Object.entries(permitted)) plant(`packages/runtime/src/worker/${name}.ts`, source);
    for (const [path, source] of Object.entries(exempt)) plant(path, source);
    findings = lint(tree);
  });

  afterAll(() => rmSync(tree, { recursive: true, force: true }));

  it.each(Object.keys(refused))("refuses %s in the runtime", (name) => {
    expect(findings.get(`packages/runtime/src/engine/${name}.ts`) ?? []).not.toEqual([]);
  });

  it.each(Object.keys(permitted))("permits %s in the runtime", (name) => {
    expect(findings.get(`packages/runtime/src/worker/${name}.ts`) ?? []).toEqual([]);
  });

  it.each(Object.keys(exempt))("leaves %s alone", (path) => {
    expect(findings.get(path) ?? []).toEqual([]);
  });
});

const rules = new Set(["plugin", "lint/style/noRestrictedGlobals", "lint/style/noRestrictedImports"]);

/** Lints the packages of a tree; gives, for each file, which parts of the rule refuse it. */
function lint(tree: string): Map<string, string[]> {
  const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
  const flags = ["--vcs-enabled=false", "--max-diagnostics=none", "--diagnostic-level=error", "--reporter=json"];
  const run = spawnSync(process.execPath, [biome, "lint", ...flags, "packages"], { cwd: tree, encoding: "utf8" });
  const report = JSON.parse(run.stdout) as { diagnostics: { category: string; location: { path: string } }[] };
  const findings = new Map<string, string[]>();
  for (const { category, location } of report.diagnostics) {
    if (!rules.has(category)) continue;
    findings.set(location.path, [...(findings.get(location.path) ?? []), category]);
  }
  return findings;
}
