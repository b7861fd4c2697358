/**
 * What a stranger typed never becomes code: with any text in any place a config has for text, every emitted file has the
 * shape it has with harmless text. TypeScript is compared as syntax trees, JSON and YAML as data, SQL without its
 * strings, the rest line by line.
 */
import { existsSync } from "node:fs";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { parse, parseDocument } from "yaml";

import { buildModel } from "../build-model.js";
import { HOSTILE_TEXTS } from "../random-config.test.support.js";
import { readConfig } from "../spec/read.js";
import { readReferenceService, type Template } from "../template.js";
import { renderTargets } from "./index.js";

const template: Template = {
  ...readReferenceService(new URL("../../../reference-service/", import.meta.url).pathname),
  runtime: { version: "0.0.0", fileName: "runtime.tgz", bytes: new Uint8Array(), integrity: "" },
};

const asPattern = (text: string): string => `^${text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")}$`;
const asHeader = (text: string): string => text.replace(/[^\x20-\x7e]/g, "").replaceAll("${", "$ {");
/** What of a text may stand in a path; without letters and digits, of which names are made. */
const asPath = (text: string): string => text.replace(/[^!$&'()*+,;=:@~-]/g, "").slice(0, 20) || "!";

/** Every free text of a config. */
function configWith(text: string): string {
  const enumValue = text.slice(0, 64);
  return JSON.stringify({
    project: { name: "shop", description: text, license: text.slice(0, 100), author: text },
    domain: {
      entities: [
        {
          name: "Order",
          fields: [
            { name: "note", type: "text", default: text },
            { name: "code", type: "string", default: text, pattern: asPattern(text) },
            { name: "status", type: "enum", values: [enumValue, "other value"], default: enumValue, required: true },
            { name: "data", type: "json", default: { list: [text, { "a-b": text }] } },
          ],
          indexes: [{ fields: ["status"] }],
        },
      ],
    },
    services: {
      here: { transport: "local" },
      there: {
        url: "http://localhost:1",
        headers: { "X-Text": asHeader(text), Authorization: `\${TOKEN} ${asHeader(text)}` },
      },
    },
    long_running: {
      tasks: [
        {
          name: "work",
          stages: [
            { name: "one", service: "here", endpoint: `/a${asPath(text)}/b` },
            { name: "two", service: "there", endpoint: `/a${asPath(text)}/b` },
          ],
          compensation: [
            { stage: "one", action: `/undo${asPath(text)}/b` },
            { stage: "two", action: `/undo${asPath(text)}/b` },
          ],
        },
        {
          name: "bulk",
          type: "batch",
          source: { entity: "Order", where: { note: text } },
          stages: [{ name: "one", service: "there", endpoint: "/a" }],
        },
        {
          name: "listed",
          type: "batch",
          source: { items: [text, { text }] },
          stages: [{ name: "one", service: "there", endpoint: "/a" }],
        },
      ],
    },
  });
}

function shapesOf(text: string): ReadonlyMap<string, unknown> {
  const written = configWith(text);
  const model = buildModel(readConfig(Buffer.from(written), "config.yaml").config, { name: "shop", text: written });
  return new Map(renderTargets(model, template).map(({ path, content }) => [path, shapeOf(path, String(content))]));
}

function shapeOf(path: string, text: string): unknown {
  if (path.endsWith(".ts")) return syntaxOf(path, text);
  if (path.endsWith(".json")) return structureOf(JSON.parse(text));
  if (path.endsWith(".yaml") || path.endsWith(".yml")) {
    const { errors, warnings } = parseDocument(text);
    expect([...errors, ...warnings]).toEqual([]);
    return structureOf(parse(text));
  }
  if (path.endsWith(".sql")) return text.replace(/'(?:[^']|'')*'/g, "''");
  if (path.endsWith(".md"))
    return text.split("\n").map((line) => line.replace(/^(?! *[-|#`]|$).*/, "text").replace(/`[^`]*`/g, "code"));
  if (path.endsWith(".env.example")) return text.split("\n").map((line) => line.replace(/=.*/, ""));
  return text;
}

/** Kinds of all nodes and names of all identifiers, in order. */
function syntaxOf(path: string, text: string): readonly string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, false);
  const found = "parseDiagnostics" in file ? (file.parseDiagnostics as unknown[]).map(() => "broken") : [];
  const walk = (node: ts.Node): void => {
    found.push(`${node.kind}${ts.isIdentifier(node) ? ` ${node.text}` : ""}`);
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) found.push(node.moduleSpecifier.text);
    ts.forEachChild(node, walk);
  };
  walk(file);
  return found;
}

function structureOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(structureOf);
  if (value === null || typeof value !== "object") return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, structureOf(item)]));
}

describe("the shape of every emitted file is that of harmless text, with", () => {
  const harmless = shapesOf("some text");

  test.each(HOSTILE_TEXTS)("%j", (text) => {
    const shapes = shapesOf(text);
    expect([...shapes.keys()]).toEqual([...harmless.keys()]);
    for (const [path, shape] of shapes) expect({ path, shape }).toEqual({ path, shape: harmless.get(path) });
  });
});

test("the comparison sees what it is there for", () => {
  expect(syntaxOf("a.ts", 'const a = "x";')).toEqual(syntaxOf("a.ts", 'const a = "y";'));
  expect(syntaxOf("a.ts", 'const a = "x";')).not.toEqual(syntaxOf("a.ts", 'const a = "x"; f();'));
  expect(syntaxOf("a.ts", "/* x */ f();")).not.toEqual(syntaxOf("a.ts", "/* x */ g(); /* */ f();"));
  expect(shapeOf("a.sql", "DEFAULT 'it''s'")).toBe("DEFAULT ''");
  expect(shapeOf("a.sql", "DEFAULT 'a'; DROP TABLE b;")).not.toBe("DEFAULT ''");
  expect(existsSync("canary")).toBe(false);
});
