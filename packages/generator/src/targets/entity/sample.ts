/** For generated tests: values made up to fit an entity's fields. */
import type { EntityModel, FieldModel, JsonValue } from "../../model.js";
import { sampleOf } from "./pattern-sample.js";
import { code, json, print, type Source } from "./source.js";

interface Missing {
  readonly missing: string;
}

/** The source of a function that creates what the entity needs to refer to, then gives the body of a new one. */
export function sampleFunction(entity: EntityModel, entities: readonly EntityModel[]): string | Missing {
  const lines: string[] = [];
  const made = new Set<string>();

  function valuesOf(current: EntityModel): Source | Missing {
    if (!current.useCases.includes("create")) return { missing: `${current.name.pascal} cannot be created over HTTP` };
    const entries: [string, Source][] = [];
    for (const field of current.fields) {
      const value = field.reference === null ? valueFor(field) : needed(field, field.reference.entity.pascal);
      if (value !== null && "missing" in value) return value;
      if (value !== null) entries.push([field.name.snake, value]);
    }
    return { entries };
  }

  function needed(field: FieldModel, pascal: string): Source | Missing | null {
    const target = entities.find(({ name }) => name.pascal === pascal);
    if (!field.required || target === undefined) return null;
    const variable = `${target.name.camel}Id`;
    if (!made.has(variable)) {
      made.add(variable);
      const values = valuesOf(target);
      if ("missing" in values) return values;
      const before = `const ${variable} = await service.create("/api/v1/${target.plural.kebab}", `;
      lines.push(print(values, before, ");", 2));
    }
    return code(variable);
  }

  const values = valuesOf(entity);
  if ("missing" in values) return values;
  lines.push(print(values, "return ", ";", 2));
  return `async function sample(): Promise<Record<string, unknown>> {
${lines.map((line) => `  ${line}\n`).join("")}}
`;
}

/** Null: left out. */
function valueFor(field: FieldModel): Source | Missing | null {
  const value = sampleValue(field);
  if (value !== undefined) return json(value);
  if (!field.required || field.default !== undefined) return null;
  return { missing: `give the sample a ${field.name.snake} that fits its field` };
}

function sampleValue(field: FieldModel): JsonValue | undefined {
  switch (field.type) {
    case "string":
    case "text":
      return sampleText(field);
    case "integer":
      return Number(field.min ?? field.max ?? 1);
    case "bigint":
    case "decimal":
      return String(field.min ?? field.max ?? 1).replace(/^\+/, "");
    case "boolean":
      return true;
    case "uuid":
      return "0190b2f6-5c8a-7c3e-9d1f-2b6a4e8c0d11";
    case "date":
      return "2026-01-31";
    case "timestamp":
      return "2026-01-31T09:30:00.000Z";
    case "json":
      return { note: "any" };
    case "enum":
      return field.values[0];
    default:
      return undefined;
  }
}

function sampleText({ pattern, minLength, maxLength, name }: FieldModel): string | undefined {
  const least = minLength ?? 0;
  const most = maxLength ?? 200;
  const fits = (text: string): boolean => [...text].length >= least && [...text].length <= most;
  if (pattern !== null) return sampleOf(pattern, fits) ?? undefined;
  // Long demands make a poor example and a worse line.
  return least > 100 ? undefined : `some ${name.snake}`.slice(0, most).padEnd(least, "x");
}
