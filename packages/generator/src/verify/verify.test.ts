// Misspelled on purpose: cspell:ignore tiemout sesion reddis ordr stok timeuot mred conifg genrate compnsation prefx
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { exampleText, run, temporaryFolder } from "../fixture.test.support.js";
import { sha256 } from "../hash.js";
import { parseSource } from "./imports.js";
import { resolveSpecifier } from "./resolve.js";

let root: ReturnType<typeof temporaryFolder>;
let out: string;

const CONTAINER = "src/infrastructure/container/container.ts";
const GENERATED = "src/infrastructure/container/container.generated.ts";

const put = (path: string, text: string): void => {
  mkdirSync(dirname(join(out, path)), { recursive: true });
  writeFileSync(join(out, path), text);
};

const editLock = (edit: (files: Record<string, { owner: string; sha256: string; mode: string }>) => void): void => {
  const path = join(out, ".clean-arch/lock.json");
  const lock = JSON.parse(readFileSync(path, "utf8"));
  edit(lock.files);
  writeFileSync(path, JSON.stringify(lock));
};

/** A file of ours, as a target would have written it. */
const own = (path: string, owner: "generated" | "once", text: string): void => {
  put(path, text);
  editLock((files) => {
    files[path] = { owner, sha256: sha256(text), mode: "644" };
  });
};

beforeEach(async () => {
  root = temporaryFolder();
  out = join(root.path, "project");
  const config = join(root.path, "config.yaml");
  writeFileSync(config, exampleText("example-config-session.yaml"));
  expect((await run("--config", config, "--out", out)).code).toBe(0);
  own("src/domain/order.ts", "once", "export interface Order { readonly id: string }\n");
  own(
    "src/domain/order-line.ts",
    "once",
    'import type { Order } from "./order.js";\nexport type OrderLine = { order: Order };\n',
  );
  own("src/application/handlers/order-service/validate.ts", "once", "export const validate = async () => ({});\n");
  own(
    "src/application/sagas/order-processing.saga.generated.ts",
    "generated",
    'import { validate } from "../handlers/order-service/validate.js";\nexport const services = ["order_service", "inventory_service", "payment_service", "shipping_service", validate];\n',
  );
  own(
    GENERATED,
    "generated",
    'import { services } from "../../application/sagas/order-processing.saga.generated.js";\nimport type { OrderLine } from "../../domain/order-line.js";\nexport const all: [unknown, OrderLine?] = [services];\n',
  );
  own(CONTAINER, "once", 'import { all } from "./container.generated.js";\nexport const container = all;\n');
  own(
    "src/main.ts",
    "once",
    'import fastify from "fastify";\nimport { container } from "./infrastructure/container/container.js";\nfastify(); container;\n',
  );
});
afterEach(() => root.remove());

const verify = () => run("verify", out);
/** `path:line:column code` of each finding. */
const findings = async (): Promise<string[]> => {
  const { err } = await run("verify", out, "--json");
  return err
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))
    .map(({ file, line, column, code }) => `${file.slice(out.length + 1)}:${line}:${column} ${code}`);
};

describe("verify", () => {
  test("finds nothing in a project as it was written", async () => {
    expect(await verify()).toMatchObject({ code: 0, err: "" });
  });

  test("names file, line and a way to mend an import from infrastructure in the domain", async () => {
    put(
      "src/domain/order.ts",
      '// a comment\nimport { container } from "../infrastructure/container/container.js";\nexport { container };\n',
    );
    const { code, err } = await verify();
    expect(code).toBe(1);
    expect(err).toBe(
      `${out}/src/domain/order.ts:2:1: error layer-violation: expected an import from the domain itself, got "../infrastructure/container/container.js" (from container); move what needs it to application or infrastructure, or declare what the domain needs as a type of its own\n`,
    );
  });

  test.each([
    ["a type", 'import type { A } from "../infrastructure/a.js";'],
    ["a type among values", 'import { type A } from "../infrastructure/a.js";'],
    ["for its effect", 'import "../infrastructure/a.js";'],
    ["a re-export", 'export * from "../infrastructure/a.js";'],
    ["a re-export of a type", 'export type { A } from "../infrastructure/a.js";'],
    ["a dynamic import", 'export const a = () => import("../infrastructure/a.js");'],
    ["a dynamic import of a template", "export const a = () => import(`../infrastructure/a.js`);"],
    ["a type import", 'export type A = import("../infrastructure/a.js").A;'],
    [
      "a require",
      'declare const require: (name: string) => unknown; export const a = require("../infrastructure/a.js");',
    ],
    ["an import equals", 'import a = require("../infrastructure/a.js"); export { a };'],
    ["a detour", 'import "./../domain/../infrastructure/a.js";'],
    ["a path from the root", 'import "src/infrastructure/a.js";'],
    ["a query", 'import "../infrastructure/a.js?x";'],
    ["a module of Node", 'import { readFileSync } from "node:fs"; export { readFileSync };'],
    ["a module of Node by its old name", 'import fs from "fs"; export { fs };'],
    ["a package", 'import fastify from "fastify"; export { fastify };'],
    ["the application", 'import "../application/x.js";'],
    ["the interfaces", 'import "../interfaces/http/x.js";'],
    ["a path out of the project", 'import "../../../elsewhere.js";'],
    ["the main file", 'import "../main.js";'],
  ])("refuses the domain %s", async (_, source) => {
    put("src/infrastructure/a.ts", "export type A = 1;\n");
    put("src/domain/order.ts", `${source}\n`);
    expect((await findings()).filter((one) => one.endsWith("layer-violation"))).toEqual([
      expect.stringMatching(/^src\/domain\/order\.ts:1:\d+ layer-violation$/),
    ]);
  });

  test.each([
    ["application", 'import "../domain/order.js";', true],
    ["application", 'import type { SagaManager } from "@clean-arch/runtime";', true],
    ["application", 'import { sqlite } from "@clean-arch/runtime/sqlite";', false],
    ["application", 'import { randomUUID } from "node:crypto";', false],
    ["application", 'import "../infrastructure/a.js";', false],
    [
      "infrastructure",
      'import "../application/ports/a.js"; import "../domain/order.js"; import "node:fs"; import "fastify";',
      true,
    ],
    ["infrastructure", 'import "../interfaces/http/a.js";', false],
    ["interfaces", 'import "../application/a.js"; import "fastify";', true],
    ["interfaces", 'import "../infrastructure/a.js";', false],
    ["interfaces", 'import type { Order } from "../domain/order.js";', false],
  ])("lets %s have %s: %s", async (layer, source, allowed) => {
    put(`src/${layer}/checked.ts`, `${source}\n`);
    const violations = (await findings()).filter((one) => one.endsWith("layer-violation"));
    expect(violations).toHaveLength(allowed ? 0 : 1);
  });

  test("keeps contexts of the domain apart, but for what they share", async () => {
    put(
      "src/domain/sales/offer.ts",
      'import "../billing/invoice.js";\nimport "../shared/money.js";\nimport "../order.js";\n',
    );
    put("src/domain/billing/invoice.ts", "export {};\n");
    put("src/domain/shared/money.ts", "export {};\n");
    put("src/domain/order.ts", "export {};\n");
    expect(await findings()).toEqual(["src/domain/sales/offer.ts:1:1 layer-violation"]);
  });

  test("follows the aliases of package.json", async () => {
    const manifest = JSON.parse(readFileSync(join(out, "package.json"), "utf8"));
    put("package.json", JSON.stringify({ ...manifest, imports: { "#infra/*": "./src/infrastructure/*" } }));
    put("src/infrastructure/a.ts", "export {};\n");
    put("src/domain/order.ts", 'import "#infra/a.js";\n');
    expect(await findings()).toEqual(["src/domain/order.ts:1:1 layer-violation"]);
  });

  test("finds an import of a file that is not there, as a left-over has after an entity is gone", async () => {
    put("src/domain/order.ts", 'import type { Order } from "./order.generated.js";\nexport type Mine = Order;\n');
    expect(await findings()).toEqual(["src/domain/order.ts:1:1 missing-file"]);
  });

  test("finds an edited generated file, and not an edited one of the user's", async () => {
    put("configs/.env.example", "edited\n");
    put("Makefile", "edited:\n");
    put("src/main.ts", "export {};\n");
    expect(await findings()).toEqual(["configs/.env.example:1:1 edited-file"]);
  });

  test("finds what is missing; a file of the user's only as a warning", async () => {
    rmSync(join(out, "docker-compose.yml"));
    rmSync(join(out, ".clean-arch/base/Makefile"));
    rmSync(join(out, "README.md"));
    expect(await findings()).toEqual([
      ".clean-arch/base/Makefile:1:1 missing-file",
      "README.md:1:1 missing-file",
      "docker-compose.yml:1:1 missing-file",
    ]);
    writeFileSync(join(out, "docker-compose.yml"), "x");
    expect((await verify()).code).toBe(1);
  });

  test("takes a link for no file", async () => {
    rmSync(join(out, "configs/.env.example"));
    symlinkSync("/dev/null", join(out, "configs/.env.example"));
    expect(await findings()).toEqual(["configs/.env.example:1:1 missing-file"]);
  });

  test("finds settings that do not fit, at their place", async () => {
    const text = readFileSync(join(out, "configs/app.yaml"), "utf8");
    put("configs/app.yaml", text.replace("port: 8080", "port: eighty").replace("prefix:", "prefx:"));
    const line = (of: string): number => text.split("\n").findIndex((one) => one.includes(of)) + 1;
    expect(await findings()).toEqual([
      `configs/app.yaml:${line("port: 8080")}:9 wrong-type`,
      `configs/app.yaml:${line("prefix:")}:5 unknown-key`,
    ]);
  });

  test("finds settings that do not go together, and a password in a file", async () => {
    const text = readFileSync(join(out, "configs/app.yaml"), "utf8");
    const changed = text.replace("grace_period: 30", "grace_period: 60\n    period: 60");
    put("configs/app.yaml", `redis:\n  url: redis://:secret@r\n${changed}`);
    const line = changed.split("\n").findIndex((one) => one.includes("grace_period: 60")) + 3;
    expect(await findings()).toEqual([
      "configs/app.yaml:2:8 secret-in-config",
      `configs/app.yaml:${line}:19 out-of-range`,
    ]);
  });

  test("finds a config that is wrong, and one the project does not show yet", async () => {
    const text = readFileSync(join(out, "clean-arch.yaml"), "utf8");
    put("clean-arch.yaml", text.replace("ttl: 3600", "ttl: 60"));
    expect(await findings()).toEqual(["clean-arch.yaml:1:1 bad-wiring"]);
    put("clean-arch.yaml", "session: [\n");
    expect((await findings())[0]).toMatch(/^clean-arch\.yaml:\d+:\d+ yaml-syntax$/);
  });

  test("finds a container that is not wired", async () => {
    put(CONTAINER, "export const container = 1;\n");
    expect(await findings()).toEqual([`${CONTAINER}:1:1 bad-wiring`]);
  });

  test("finds a saga, a handler, an entity and a service that the wiring lacks", async () => {
    own(GENERATED, "generated", "export const all = [];\n");
    const { code, err } = await verify();
    expect(code).toBe(1);
    for (const what of [
      "order-processing.saga.generated.ts",
      "order-service/validate.ts",
      "the entity OrderLine",
      "the service payment_service",
    ]) {
      expect(err).toContain(what);
    }
  });

  test("finds a package that is not declared where it is needed", async () => {
    put(
      "src/infrastructure/a.ts",
      'import "left-pad/x.js";\nimport "@acme/thing/deep";\nimport type { X } from "typescript";\nimport ts from "typescript";\nexport { type X, ts };\n',
    );
    put("tests/a.test.ts", 'import ts from "typescript";\nimport "undeclared";\nexport { ts };\n');
    expect(await findings()).toEqual([
      "src/infrastructure/a.ts:1:1 missing-dependency",
      "src/infrastructure/a.ts:2:1 missing-dependency",
      "src/infrastructure/a.ts:4:1 missing-dependency",
      "tests/a.test.ts:2:1 missing-dependency",
    ]);
  });

  test("finds a tarball that is gone and a lock file that says something else", async () => {
    rmSync(join(out, "vendor"), { recursive: true });
    const lock = JSON.parse(readFileSync(join(out, "package-lock.json"), "utf8"));
    lock.packages[""].dependencies.fastify = "^4.0.0";
    put("package-lock.json", JSON.stringify(lock));
    const { err } = await verify();
    expect(err).toMatch(/package\.json:1:1: error missing-dependency @clean-arch\/runtime: expected the file vendor\//);
    expect(err).toMatch(
      /package-lock\.json:1:1: error missing-dependency dependencies\.fastify: expected \^5\.0\.0, as in package\.json, got \^4\.0\.0; npm install/,
    );
  });

  test("says where a file cannot be parsed", async () => {
    put("src/application/broken.ts", "export const a = 1;\nexport const b = ;\n");
    expect(await findings()).toEqual(["src/application/broken.ts:2:18 unreadable-source"]);
  });

  test("has no opinion on a folder that is no project: refused with 2", async () => {
    const { code, err } = await run("verify", root.path);
    expect([code, err]).toEqual([2, expect.stringContaining("not-a-project")]);
    expect((await run("verify", join(root.path, "nowhere"))).code).toBe(2);
  });

  test("finds a lock that is none", async () => {
    put(".clean-arch/lock.json", "{");
    expect(await findings()).toEqual([".clean-arch/lock.json:1:1 bad-lock"]);
    put(
      ".clean-arch/lock.json",
      JSON.stringify({ format: 1, generator: "x", config_hash: "", files: { "../../etc/passwd": {} } }),
    );
    expect(await findings()).toEqual([".clean-arch/lock.json:1:1 bad-lock"]);
  });
});

describe("imports of a file", () => {
  test("are found in any nesting, with their places, and survive what a file may hold", () => {
    const { imports, problem } = parseSource(
      "a.ts",
      `#!/usr/bin/env node\nclass A<T> { @dec x = async () => { if (true) { await import("deep"); } } }\nusing(1);\nfunction using(x: number) { return <T,>(y: T) => y satisfies unknown; }\n`,
    );
    expect(problem).toBeNull();
    expect(imports).toEqual([{ specifier: "deep", line: 2, column: 55, typeOnly: false }]);
  });

  test("are found deep in an expression, and one too deep to read is a problem, not a pass", () => {
    const nested = (depth: number): string => `export const a = ${"[".repeat(depth)}import("x")${"]".repeat(depth)};`;
    expect(parseSource("a.ts", nested(100)).imports.map(({ specifier }) => specifier)).toEqual(["x"]);
    expect(parseSource("a.ts", nested(50_000)).problem?.message).toBe("an expression nested too deep to read");
  });
});

describe("a specifier", () => {
  test.each([
    ["./b.js", { kind: "file", path: "src/domain/b.js" }],
    ["../../../x", { kind: "outside", path: "../x" }],
    ["/etc/passwd", { kind: "outside", path: "/etc/passwd" }],
    ["file:///x", { kind: "outside", path: "file:///x" }],
    ["fs/promises", { kind: "builtin", name: "fs" }],
    ["node:test", { kind: "builtin", name: "node:test" }],
    ["@a/b/c", { kind: "package", name: "@a/b", specifier: "@a/b/c" }],
    ["#nope", { kind: "outside", path: "#nope" }],
  ])("%s is %j", (specifier, target) => {
    expect(resolveSpecifier("src/domain/a.ts", specifier)).toEqual(target);
  });
});
