import { describe, expect, test } from "vitest";

import type { Schema } from "./keywords.js";
import { publishedSchema } from "./published.js";
import { schemaDocument } from "./schema.js";

describe("the published JSON Schema", () => {
  test("is what the schema in the source says (else run `npm run build -w clean-arch-generator`)", () => {
    expect(publishedSchema().text).toBe(`${JSON.stringify(schemaDocument, null, 2)}\n`);
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
