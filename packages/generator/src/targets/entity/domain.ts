/** `src/domain/<entity>/<entity>.generated.ts`: types, fields as data, checks. */
import { literal } from "../../emit.js";
import type { EntityModel, FieldModel } from "../../model.js";
import { maxLengthOf } from "./field-limits.js";
import { HEADER, json, print, type Source, signature } from "./source.js";

export function domainFile(entity: EntityModel): string {
  const { pascal, camel } = entity.name;
  const usesJson = entity.fields.some(({ type }) => type === "json");
  return `${HEADER}import * as check from "../check.js";
import type * as fields from "../fields.js";
${usesJson ? 'import type * as json from "../json.js";\n' : ""}
export interface ${pascal} extends ${pascal}Values, fields.Identified {}

/** The fields that the config declares. What is not set is null. */
${interfaceOf(`${pascal}Values`, entity.fields.flatMap(valueLines))}
/** What a new one is made from. */
${interfaceOf(`New${pascal}`, entity.fields.flatMap(inputLines))}
/** A merge patch: what is missing stays, null clears. */
export type ${pascal}Patch = Partial<New${pascal}>;

${print(fieldsOf(entity), `export const ${camel}Fields: fields.Fields<${pascal}Values> = `, ";")}

/** What the fields are called in bodies, answers and events, by property. */
${print({ open: true, entries: entity.fields.map(({ name }) => [name.camel, json(name.snake)] as const) }, `export const ${camel}Keys = `, " as const;")}

${signature(`export function checkNew${pascal}`, ["input: unknown"], `: fields.Checked<${pascal}Values> {`)}
  return check.checkNew(${camel}Fields, input);
}

${signature(`export function check${pascal}Patch`, [`current: ${pascal}Values`, "patch: unknown"], `: fields.Checked<${pascal}Values> {`)}
  return check.checkPatch(${camel}Fields, current, patch);
}
`;
}

function interfaceOf(name: string, lines: readonly string[]): string {
  if (lines.length === 0) return `export interface ${name} {}\n`;
  return `export interface ${name} {\n${lines.map((line) => `  ${line}\n`).join("")}}\n`;
}

const MEANINGS: Partial<Record<FieldModel["type"], string>> = {
  decimal: "An exact decimal, as text.",
  uuid: "A UUID.",
  date: "A calendar date, YYYY-MM-DD.",
  timestamp: "ISO 8601, UTC, milliseconds.",
};

function valueLines(field: FieldModel): string[] {
  const nullable = field.required ? "" : " | null";
  return [...meaning(field), `readonly ${field.name.camel}: ${typeOf(field)}${nullable};`];
}

function inputLines(field: FieldModel): string[] {
  const optional = field.required && field.default === undefined ? "" : "?";
  const nullable = field.required ? "" : " | null";
  return [`readonly ${field.name.camel}${optional}: ${inputTypeOf(field)}${nullable};`];
}

function meaning(field: FieldModel): string[] {
  const reference = field.reference === null ? undefined : `The id of ${field.reference.entity.pascal}.`;
  const text = reference ?? MEANINGS[field.type];
  return text === undefined ? [] : [`/** ${text} */`];
}

function typeOf(field: FieldModel): string {
  if (field.type === "enum") return field.values.map((value) => literal(value)).join(" | ");
  if (field.type === "json") return "json.Json";
  if (field.type === "integer") return "number";
  return field.type === "bigint" || field.type === "boolean" ? field.type : "string";
}

function inputTypeOf(field: FieldModel): string {
  if (field.type === "decimal") return "string | number";
  return field.type === "bigint" ? "bigint | number | string" : typeOf(field);
}

function fieldsOf(entity: EntityModel): Source {
  return { open: true, entries: entity.fields.map((field) => [field.name.camel, fieldOf(entity, field)] as const) };
}

function fieldOf(entity: EntityModel, field: FieldModel): Source {
  const entries: [string, Source][] = [
    ["type", json(field.type)],
    ["required", json(field.required)],
  ];
  const add = (key: string, value: Source | null): void => void (value === null ? 0 : entries.push([key, value]));
  const maxLength = maxLengthOf(entity, field);
  add("default", field.default === undefined ? null : json(field.default));
  add("min", field.min === null ? null : json(field.min));
  add("max", field.max === null ? null : json(field.max));
  add("minLength", field.minLength === null ? null : json(field.minLength));
  add("maxLength", maxLength === null ? null : json(maxLength));
  add("pattern", field.pattern === null ? null : json(field.pattern));
  add("values", field.type === "enum" ? json(field.values) : null);
  return { entries };
}
