import JsonSchema from "typebox/schema";
import { describe, expect, test } from "vitest";

import { parse } from "yaml";

import { exampleText } from "../fixture.test.support.js";
import type { Schema } from "./keywords.js";
import { publishedSchema } from "./published.js";
import { schemaDocument } from "./schema.js";

describe("the published JSON Schema", () => {
  test("is what the schema in the source says (else run `npm run build -w clean-arch-generator`)", () => {
    expect(publishedSchema().text).toBe(`${JSON.stringify(schemaDocument, null, 2)}\n`);
  });

  test.each([
    ["example-config-session.yaml", exampleText("example-config-session.yaml"), true],
    ["fragment.yaml", exampleText("fragment.yaml"), true],
    ["an unknown key", "sessions: {}", false],
    ["an unknown value", "session: {context: {storage: disk}}", false],
    ["a bad name", "services: {a b: {}}", false],
    ["a duration of nothing", "session: {context: {ttl: 0}}", false],
    ["a duration with a unit", "session: {context: {ttl: 5m}}", true],
  ])("says to an editor what the generator says: %s", (_, text, valid) => {
    expect(JsonSchema.Check(publishedSchema().schema as object, parse(text))).toBe(valid);
  });

  test("describes every key", () => {
    const bare: string[] = [];
    const walk = (schema: Schema, path: string): void => {
      if (schema.description === undefined || schema.description === "") bare.push(path);
      for (const [key, property] of Object.entries(schema.properties ?? {})) walk(property, `${path}.${key}`);
      if (schema.items !== undefined) walk(schema.items, `${path}[]`);
      if (schema.additionalProperties) walk(schema.additionalProperties, `${path}.*`);
    };
    walk(publishedSchema().schema, "");
    expect(bare).toEqual([]);
  });

  test("allows no key it does not name", () => {
    const open: string[] = [];
    const walk = (schema: Schema, path: string): void => {
      if (schema.type === "object" && schema.additionalProperties === undefined) open.push(path);
      for (const [key, property] of Object.entries(schema.properties ?? {})) walk(property, `${path}.${key}`);
      if (schema.items !== undefined) walk(schema.items, `${path}[]`);
    };
    walk(publishedSchema().schema, "");
    expect(open).toEqual([]);
  });
});
