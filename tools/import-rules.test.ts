import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/**
 * The import rules, tried on planted code: a tree with this repository's rules, a few innocent files to import, and one
 * offender per rule, cruised once. A rule without an offender fails the last test.
 */
const root = fileURLToPath(new URL("..", import.meta.url));
const runtime = "packages/runtime/src";
const service = "packages/reference-service/src";

/** Rule, offender, what it imports. */
const refused: [rule: string, from: string, source: string][] = [
  ["no-cycles", `${runtime}/operator/left.ts`, 'import { right } from "./right.js";\nexport const left = right;'],
  ["no-cycles", `${runtime}/operator/type-left.ts`, 'export type { Right as Left } from "./type-right.js";'],
  ["no-unresolvable", "packages/generator/src/deep.ts", 'export * from "@clean-arch/runtime/src/errors.js";'],
  ["no-dev-dependency-in-source", "packages/generator/src/dev.ts", 'export * from "only-for-development";'],
  ["packages-by-their-exports", "packages/generator/src/path.ts", 'export * from "../../runtime/src/errors.js";'],
  ["examples-by-exports", "examples/path/main.ts", 'export * from "../../packages/runtime/src/errors.js";'],
  ["examples-by-exports", "benchmarks/src/path.ts", 'export * from "../../packages/runtime/src/errors.js";'],
  ["runtime-imports-nothing-of-ours", `${runtime}/ours.ts`, 'export * from "../../generator/src/model.js";'],
  ["generator-takes-the-service-as-data", "packages/generator/src/template.ts", 'export * from "reference-service";'],
  ["service-does-not-know-its-generator", `${service}/generator.ts`, 'export * from "clean-arch-generator";'],
  ["engine-is-pure", `${runtime}/engine/node.ts`, 'export { readFileSync } from "node:fs";'],
  ["engine-is-pure", `${runtime}/engine/ports.ts`, 'export type { Ports } from "../ports.js";'],
  ["engine-is-pure", `${runtime}/engine/store.ts`, 'export type { RunStore } from "../store/run-store.js";'],
  ["engine-is-pure", `${runtime}/engine/worker.ts`, 'export * from "../worker/claim.js";'],
  ["engine-is-pure", `${runtime}/engine/package.ts`, 'export * from "libsql";'],
  ["engine-is-pure-types-only", `${runtime}/engine/builder.ts`, 'export { saga } from "../saga/definition.js";'],
  ["contracts-depend-on-records", `${runtime}/store/backwards.ts`, 'export * from "../stores/memory/index.js";'],
  ["stores-know-contracts", `${runtime}/stores/sqlite/other.ts`, 'export * from "../memory/index.js";'],
  ["stores-know-contracts", `${runtime}/stores/sqlite/worker.ts`, 'export * from "../../worker/claim.js";'],
  ["stores-know-no-session-code", `${runtime}/stores/memory/manager.ts`, 'export * from "../../session/manager.js";'],
  ["brokers-know-contracts", `${runtime}/brokers/nats/store.ts`, 'export * from "../../stores/memory/index.js";'],
  [
    "local-broker-knows-the-outbox",
    `${runtime}/brokers/local/store.ts`,
    'export * from "../../stores/memory/index.js";',
  ],
  ["events-know-contracts", `${runtime}/events/broker.ts`, 'export * from "../brokers/local/index.js";'],
  ["calls-know-the-broker", `${runtime}/calls/broker.ts`, 'export * from "../brokers/local/index.js";'],
  ["schedules-know-contracts", `${runtime}/schedule/store.ts`, 'export * from "../stores/memory/index.js";'],
  ["schedules-know-contracts", `${runtime}/schedule/worker.ts`, 'export * from "../worker/claim.js";'],
  [
    "schedules-know-contracts-types-only",
    `${runtime}/schedule/builder.ts`,
    'export { saga } from "../saga/definition.js";',
  ],
  ["worker-knows-contracts", `${runtime}/worker/store.ts`, 'export * from "../stores/memory/index.js";'],
  [
    "worker-takes-types-of-definitions",
    `${runtime}/worker/builder.ts`,
    'export { saga } from "../saga/definition.js";',
  ],
  ["batch-knows-contracts", `${runtime}/batch/store.ts`, 'export * from "../stores/memory/index.js";'],
  ["batch-knows-contracts-types-only", `${runtime}/batch/builder.ts`, 'export { saga } from "../saga/definition.js";'],
  ["barrier-stands-alone", `${runtime}/barrier/driver.ts`, 'export * from "libsql";'],
  [
    "barrier-stands-alone-types-only",
    `${runtime}/barrier/open.ts`,
    'export { openDatabase } from "../stores/sqlite/database.js";',
  ],
  ["barrier-stands-alone", `${runtime}/barrier/worker.ts`, 'export * from "../worker/claim.js";'],
  ["testing-is-for-tests", `${runtime}/fake.ts`, 'export * from "./testing/index.js";'],
  ["testing-is-for-tests", `${service}/fake.ts`, 'export * from "@clean-arch/runtime/testing";'],
  ["testing-is-for-tests", `${runtime}/spy.ts`, 'export { vi } from "vitest";'],
  ["drivers-stay-in-their-store", `${runtime}/driver.ts`, 'export * from "libsql";'],
  ["drivers-stay-in-their-store", `${runtime}/node-driver.ts`, 'export * from "node:sqlite";'],
  ["domain-imports-nothing", `${service}/domain/runtime.ts`, 'export type { Failure } from "@clean-arch/runtime";'],
  ["domain-imports-nothing", `${service}/domain/node.ts`, 'export { randomUUID } from "node:crypto";'],
  [
    "domain-imports-nothing",
    `${service}/domain/outward.ts`,
    'export type { Database } from "../infrastructure/database.js";',
  ],
  [
    "application-knows-domain-and-runtime",
    `${service}/application/out.ts`,
    'export * from "../infrastructure/database.js";',
  ],
  ["application-knows-domain-and-runtime", `${service}/application/lib.ts`, 'export * from "libsql";'],
  [
    "infrastructure-implements-application",
    `${service}/infrastructure/up.ts`,
    'export * from "../interfaces/routes.js";',
  ],
  [
    "infrastructure-implements-application",
    `${service}/infrastructure/di.ts`,
    'export * from "./container/container.js";',
  ],
  ["interfaces-use-the-application", `${service}/interfaces/db.ts`, 'export * from "../infrastructure/database.js";'],
  [
    "interfaces-use-the-application",
    `${service}/interfaces/domain.ts`,
    'export type { Order } from "../domain/order.js";',
  ],
  [
    "interfaces-use-the-application",
    `${service}/interfaces/run.ts`,
    'export type { Failure } from "@clean-arch/runtime";',
  ],
];

/** Innocent files: no rule may name them. */
const permitted: Record<string, string> = {
  [`${runtime}/index.ts`]: 'export type { Failure } from "./engine/records.js";',
  [`${runtime}/errors.ts`]: "export const ERRORS = {};",
  [`${runtime}/ports.ts`]: "export interface Ports {}",
  [`${runtime}/engine/records.ts`]:
    'import { ERRORS } from "../errors.js";\nexport type Failure = keyof typeof ERRORS;',
  [`${runtime}/engine/decide.ts`]: 'export type { Saga } from "../saga/definition.js";\nexport * from "./records.js";',
  [`${runtime}/engine/decide.test.ts`]: 'import "node:fs";\nimport "vitest";\nimport "../testing/index.js";',
  [`${runtime}/saga/definition.ts`]: "export interface Saga {}\nexport const saga = (): Saga => ({});",
  [`${runtime}/session/manager.ts`]:
    'export type { RunStore } from "../store/run-store.js";\nexport const manager = 1;',
  [`${runtime}/store/run-store.ts`]:
    'import type { Failure } from "../engine/records.js";\nexport type RunStore = Failure;',
  [`${runtime}/stores/memory/index.ts`]: 'export * from "../../store/run-store.js";\nexport * from "../../ports.js";',
  [`${runtime}/stores/sqlite/index.ts`]: 'export * from "libsql";\nexport * from "node:sqlite";',
  [`${runtime}/stores/sqlite/database.ts`]:
    "export interface Database {}\nexport const openDatabase = (): Database => ({});",
  [`${runtime}/barrier/barrier.ts`]:
    'export type { Database } from "../stores/sqlite/database.js";\nexport * from "../ports.js";',
  [`${runtime}/worker/claim.ts`]:
    'export * from "../engine/decide.js";\nexport type { Saga } from "../saga/definition.js";',
  [`${runtime}/testing/index.ts`]:
    'export { it } from "vitest";\nexport type { RunStore } from "../store/run-store.js";',
  "packages/generator/src/index.ts": 'export * from "./model.js";',
  "packages/generator/src/model.ts": 'export type { Failure } from "@clean-arch/runtime";',
  "examples/innocent/main.ts": 'export * from "@clean-arch/runtime";',
  [`${service}/index.ts`]: "export {};",
  [`${service}/main.ts`]:
    'export * from "./infrastructure/container/container.js";\nexport * from "./interfaces/routes.js";',
  [`${service}/domain/order.ts`]: "export interface Order {}",
  [`${service}/application/place-order.ts`]:
    'export type { Order } from "../domain/order.js";\nexport * from "@clean-arch/runtime";',
  [`${service}/infrastructure/database.ts`]:
    'export * from "node:fs";\nexport * from "../application/place-order.js";\nexport interface Database {}',
  [`${service}/infrastructure/container/container.ts`]:
    'export * from "../../interfaces/routes.js";\nexport * from "../database.js";',
  [`${service}/interfaces/routes.ts`]: 'export * from "../application/place-order.js";',
};

/** What the offenders lean on: the other half of each cycle, and packages to import. */
const scenery: Record<string, string> = {
  [`${runtime}/operator/right.ts`]: 'import { left } from "./left.js";\nexport const right = left;',
  [`${runtime}/operator/type-right.ts`]: 'import type { Left } from "./type-left.js";\nexport type Right = Left;',
  "node_modules/libsql/package.json": '{ "name": "libsql", "version": "1.0.0", "main": "index.js" }',
  "node_modules/libsql/index.js": "",
  "node_modules/vitest/package.json": '{ "name": "vitest", "version": "1.0.0", "main": "index.js" }',
  "node_modules/vitest/index.js": "",
  "node_modules/only-for-development/package.json": '{ "name": "only-for-development", "main": "index.js" }',
  "node_modules/only-for-development/index.js": "",
};

describe("the import rules", () => {
  const tree = mkdtempSync(join(tmpdir(), "import-rules-"));
  let found: { rule: string; from: string }[];
  let rules: string[];

  const plant = (path: string, source: string) => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), `${source}\n`);
  };

  beforeAll(() => {
    for (const file of [".dependency-cruiser.mjs", "tsconfig.base.json", "package.json", "examples/package.json"]) {
      cpSync(join(root, file), join(tree, file));
    }
    for (const name of ["runtime", "generator", "reference-service"]) linkPackage(tree, name, plant);
    for (const [path, source] of Object.entries({ ...permitted, ...scenery })) plant(path, source);
    for (const [, path, source] of refused) plant(path, source);
    const report = cruise(tree);
    found = report.violations.map(({ rule, from }) => ({ rule: rule.name, from }));
    rules = report.ruleSetUsed.forbidden.map((rule) => rule.name);
  });

  afterAll(() => rmSync(tree, { recursive: true, force: true }));

  it.each(refused)("%s: %s is refused", (rule, from) => {
    expect(found).toContainEqual({ rule, from });
  });

  it.each(Object.keys(permitted))("%s is permitted", (path) => {
    expect(found.filter(({ from }) => from === path)).toEqual([]);
  });

  it("has an offender for every rule", () => {
    expect([...new Set(refused.map(([rule]) => rule))].sort()).toEqual([...rules].sort());
  });
});

/** Puts a package's real manifest into the tree (with one development dependency more) and links it as npm does. */
function linkPackage(tree: string, name: string, plant: (path: string, source: string) => void): void {
  const path = `packages/${name}/package.json`;
  const manifest = JSON.parse(readFileSync(join(root, path), "utf8"));
  manifest.devDependencies = { ...manifest.devDependencies, "only-for-development": "1.0.0" };
  manifest.exports ??= { ".": { source: "./src/index.ts" } };
  plant(path, JSON.stringify(manifest));
  const link = join(tree, "node_modules", manifest.name);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(join(tree, "packages", name), link, "dir");
}

interface Report {
  violations: { rule: { name: string }; from: string; to: string }[];
  ruleSetUsed: { forbidden: { name: string }[] };
}

function cruise(tree: string): Report {
  const bin = join(root, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
  const run = spawnSync(process.execPath, [bin, "--output-type", "json", "packages", "examples", "benchmarks"], {
    cwd: tree,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (run.stdout === "") throw new Error(`expected a report from dependency-cruiser, got: ${run.stderr}`);
  return (JSON.parse(run.stdout) as { summary: Report }).summary;
}
