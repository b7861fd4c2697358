/** What `validate` takes, tsc takes, and the service it becomes starts. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { buildModel } from "./build-model.js";
import type { Model } from "./model.js";
import { buildPlan } from "./plan.js";
import { randomConfig } from "./random-config.test.support.js";
import { compileErrors } from "./targets/compile.test.support.js";
import { readReferenceService, type Template } from "./template.js";

/** Seeds whose configs have much in them. */
const STARTED = [121, 77, 171, 12, 37, 115, 169, 9];
const COMPILED = STARTED.slice(0, 2);
const TOKEN = "operator-token-of-the-tests";

const REFERENCE = fileURLToPath(new URL("../../reference-service/", import.meta.url));
const template: Template = {
  ...readReferenceService(REFERENCE),
  runtime: { version: "0.0.0", fileName: "runtime.tgz", bytes: new Uint8Array(), integrity: "" },
};

let folder: string;
const roots: string[] = [];
const models = new Map<number, Model>();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "random-"));
  const modules = ["node_modules", "../../node_modules"].map((path) => join(REFERENCE, path));
  symlinkSync(modules.find((path) => existsSync(join(path, "fastify"))) ?? "", join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const seed of STARTED) {
    const { config, text } = randomConfig(seed);
    const model = buildModel(config, { name: config.project.name ?? "random", text });
    models.set(seed, model);
    for (const { path, bytes } of buildPlan(model, template).files) {
      const file = join(folder, String(seed), path);
      if (!/^(src|configs|migrations)\//.test(path)) continue;
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, bytes);
      if (!file.endsWith(".ts")) continue;
      writeFileSync(file.replace(/\.ts$/, ".js"), plainOf(Buffer.from(bytes).toString()));
      if (COMPILED.includes(seed)) roots.push(file);
    }
  }
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

const plain = new Map<string, string>();

/** Without its types; most files are the same in all projects. */
function plainOf(text: string): string {
  const known = plain.get(text);
  if (known !== undefined) return known;
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true };
  const { outputText } = ts.transpileModule(text, { compilerOptions });
  plain.set(text, outputText);
  return outputText;
}

describe("configs drawn from the schema", () => {
  test("have entities, sagas, groups and services of every transport among them", () => {
    const all = [...models.values()];
    const count = (of: (model: Model) => number): number => all.reduce((sum, model) => sum + of(model), 0);
    expect(count(({ entities }) => entities.length)).toBeGreaterThan(20);
    expect(count(({ sagas }) => sagas.length)).toBeGreaterThan(5);
    expect(count(({ batches }) => batches.length)).toBeGreaterThan(1);
    for (const kind of ["call", "sleep", "wait", "child"])
      expect(
        count(
          ({ sagas }) =>
            sagas.flatMap(({ waves }) => waves.flatMap(({ stages }) => stages.filter((one) => one.kind === kind)))
              .length,
        ),
      ).toBeGreaterThan(1);
    expect(
      count(({ sagas }) => sagas.flatMap(({ waves }) => waves.filter(({ parallel }) => parallel)).length),
    ).toBeGreaterThan(3);
    expect(count(({ events }) => events.published.length)).toBeGreaterThan(2);
    expect(count(({ events }) => events.handlers.length)).toBeGreaterThan(2);
    for (const transport of ["http", "nats", "local", "simulated"] as const)
      expect(count(({ services }) => services.filter((one) => one.transport === transport).length)).toBeGreaterThan(3);
  });

  test.each(STARTED)(
    "give a service that starts, is ready, and takes its own defaults (seed %i)",
    { timeout: 30_000 },
    async (seed) => {
      const model = models.get(seed) as Model;
      const load = (path: string) => import(/* @vite-ignore */ pathToFileURL(join(folder, String(seed), path)).href);
      const missing = model.services.filter(({ transport, url }) => transport === "http" && url === null);
      const isOnNats = model.services.some(({ transport }) => transport === "nats");
      const { loadSettings } = await load("src/infrastructure/config/load.js");
      const settings = loadSettings(join(folder, String(seed)), {
        A_TOKEN: "a-token",
        OPERATOR_TOKEN: TOKEN,
        DATABASE_DRIVER: "sqlite",
        DATABASE_URL: join(folder, String(seed), "random.db"),
        // There is no Redis where a config may say that one is.
        SESSION_CONTEXT_STORAGE: "sqlite",
        SESSION_ENCRYPTION_KEYS: `a:${"k".repeat(43)}`,
        ...(isOnNats && model.natsUrl === null && { NATS_URL: "nats://localhost:1" }),
        ...Object.fromEntries(missing.map(({ name }) => [`SERVICES_${name.constant}_URL`, "http://localhost:1"])),
      });
      const { buildContainer } = await load("src/infrastructure/container/container.js");
      const { createLogger } = await load("src/infrastructure/logging/logger.js");
      const withoutNats = { ...settings, app: { ...settings.app, nats: { url: null } } };
      const container = await buildContainer(withoutNats, createLogger("random", "silent"));
      try {
        const authorization = { authorization: `Bearer ${TOKEN}` };
        const get = async (url: string) => (await container.server.inject({ url, headers: authorization })).statusCode;
        expect([await get("/health/ready"), await get("/openapi.json")]).toEqual([200, 200]);
        expect(await get("/asyncapi.json")).toBe(model.features.asyncapi ? 200 : 404);
        expect(await get("/api/v1/parked-events")).toBe(model.features.events ? 200 : 404);
        for (const { name } of model.entities) {
          const domain = await load(`src/domain/${name.kebab}/${name.kebab}.generated.js`);
          const { violations = [] } = domain[`checkNew${name.pascal}`]({});
          const fields: Record<string, { default?: unknown }> = domain[`${name.camel}Fields`];
          for (const { path } of violations) expect(fields[path]).not.toHaveProperty("default");
        }
      } finally {
        await container.close();
      }
      expect(globalThis).not.toHaveProperty("canary");
    },
  );

  test("give code that compiles", { timeout: 120_000 }, () => {
    expect(compileErrors(roots, folder)).toEqual([]);
    expect(roots.length).toBeGreaterThan(200);
  });
});
