/**
 * A tree against the schema. Everything wrong is reported, each at its key or value; what is right comes out normalized
 * (defaults filled in, durations in milliseconds, sizes in bytes) and what is wrong is left out, so that the rules of
 * check.ts can still judge the rest. With no error reported the value is a whole `Config`.
 */
import type { Diagnostic, DiagnosticCode } from "../diagnostics.js";
import { shown } from "../diagnostics.js";
import { IDENTIFIER_MAX_LENGTH, IDENTIFIER_PATTERN, namesOf, nearestName } from "../naming.js";
import type { Schema } from "./keywords.js";
import type { Node, Path, Place } from "./node.js";
import { pathText, plainValue } from "./node.js";
import { DURATION_MAX_MS, parseDuration, parseSize, SIZE_MAX_BYTES } from "./quantity.js";

export interface Validated {
  readonly value: unknown;
  readonly diagnostics: readonly Diagnostic[];
}

/** Beyond so many nobody reads on; what follows is left out of the value all the same. */
const MAX_DIAGNOSTICS = 1000;

export function validate(root: Node, schema: Schema, file: string): Validated {
  const diagnostics: Diagnostic[] = [];
  const report: Report = (code, place, path, expected, got, hint) => {
    if (diagnostics.length >= MAX_DIAGNOSTICS) return undefined;
    const { line, column } = place;
    const text = typeof hint === "function" ? hint() : hint;
    const rest = text === undefined ? {} : { hint: text };
    diagnostics.push({ severity: "error", code, file, line, column, key: pathText(path), expected, got, ...rest });
    return undefined;
  };
  const value = accept(root, schema, [], report);
  return { value, diagnostics };
}

/** What a key that is not in the file stands for. */
function defaultOf(schema: Schema): unknown {
  if (schema.default === undefined) return undefined;
  if (schema.title === "duration") return parseDuration(schema.default);
  if (schema.title === "size") return parseSize(schema.default);
  if (schema.properties === undefined) return structuredClone(schema.default);
  return withDefaults(Object.entries(schema.properties).map(([key, property]) => [key, defaultOf(property)]));
}

type Report = (
  code: DiagnosticCode,
  place: Place,
  path: Path,
  expected: string,
  got: string,
  hint?: string | (() => string | undefined),
) => undefined;

const withDefaults = (entries: [string, unknown][]): Record<string, unknown> =>
  Object.fromEntries(entries.filter(([, value]) => value !== undefined));

const got = (node: Node): string =>
  node.kind === "map" ? "a mapping" : node.kind === "list" ? "a list" : shown(node.value);

const didYouMean = (name: string | null): string | undefined => (name === null ? undefined : `did you mean ${name}`);

function accept(node: Node, schema: Schema, path: Path, report: Report): unknown {
  if (schema.title === "duration") return acceptDuration(node, path, report);
  if (schema.title === "delay") return acceptDelay(node, path, report);
  if (schema.title === "size") return acceptSize(node, path, report);
  if (schema.anyOf !== undefined) return acceptNumeric(node, schema.anyOf, path, report);
  if (schema.type === undefined) return plainValue(node);
  switch (schema.type) {
    case "object":
      return acceptMap(node, schema, path, report);
    case "array":
      return acceptList(node, schema, path, report);
    case "string":
      return acceptText(node, schema, path, report);
    case "integer":
    case "number":
      return acceptNumber(node, schema, path, report);
    default:
      if (node.kind === "scalar" && typeof node.value === "boolean") return node.value;
      return report("wrong-type", node, path, "true or false", got(node));
  }
}

function acceptMap(node: Node, schema: Schema, path: Path, report: Report): unknown {
  if (node.kind !== "map") {
    const hint = node.kind === "scalar" && node.value === null ? "write `{}` for all defaults" : undefined;
    return report("wrong-type", node, path, "a mapping", got(node), schema.required === undefined ? hint : undefined);
  }
  if (schema.properties === undefined) return acceptNamed(node, schema, path, report);
  const known = Object.keys(schema.properties);
  const value = new Map<string, unknown>();
  for (const [key, entry] of node.entries) {
    const property = Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined;
    if (property !== undefined) value.set(key, accept(entry.value, property, [...path, key], report));
    else
      report("unknown-key", entry.key, [...path, key], `one of ${known.join(", ")}`, shown(key), () =>
        didYouMean(nearestName(key, known)),
      );
  }
  for (const key of schema.required ?? []) {
    if (!node.entries.has(key)) report("missing-key", node, [...path, key], `the key \`${key}\``, "nothing");
  }
  for (const [key, property] of Object.entries(schema.properties)) {
    if (!node.entries.has(key)) value.set(key, defaultOf(property));
  }
  return withDefaults(known.map((key) => [key, value.get(key)]));
}

function acceptNamed(node: Node & { kind: "map" }, schema: Schema, path: Path, report: Report): unknown {
  const names = schema.propertyNames ?? {};
  const value: Record<string, unknown> = Object.create(null);
  if (node.entries.size > (schema.maxProperties ?? Number.POSITIVE_INFINITY)) {
    report("out-of-range", node, path, `at most ${schema.maxProperties} keys`, String(node.entries.size));
  }
  for (const [key, entry] of node.entries) {
    const keyPath = [...path, key];
    if (!matches(names, key))
      report("bad-name", entry.key, keyPath, nameExpected(names), shown(key), spelledRight(names, key));
    // A wrong one stays as undefined: whoever names it should not hear that it is not declared.
    value[key] = accept(entry.value, schema.additionalProperties || {}, keyPath, report);
  }
  return value;
}

function acceptList(node: Node, schema: Schema, path: Path, report: Report): unknown {
  if (node.kind !== "list") return report("wrong-type", node, path, "a list", got(node));
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
  if (node.items.length < minItems) report("out-of-range", node, path, `at least ${minItems} item`, "an empty list");
  if (node.items.length > maxItems) {
    return report("out-of-range", node, path, `at most ${maxItems} items`, String(node.items.length));
  }
  const values = node.items.map((item, i) => accept(item, schema.items ?? {}, [...path, i], report));
  node.items.forEach((item, i) => {
    if (schema.uniqueItems === true && values[i] !== undefined && values.indexOf(values[i]) < i) {
      report("wrong-value", item, [...path, i], "each item once", got(item), "remove one");
    }
  });
  return values;
}

function acceptText(node: Node, schema: Schema, path: Path, report: Report): unknown {
  const value = node.kind === "scalar" ? node.value : undefined;
  if (schema.enum !== undefined) {
    if (typeof value === "string" && schema.enum.includes(value)) return value;
    const nearest = typeof value === "string" ? didYouMean(nearestName(value, schema.enum)) : undefined;
    return report("wrong-value", node, path, `one of ${schema.enum.join(", ")}`, got(node), nearest);
  }
  if (typeof value !== "string") {
    const hint = typeof value === "number" || typeof value === "boolean" ? "write it in quotes" : undefined;
    return report("wrong-type", node, path, "text", got(node), hint);
  }
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema;
  if (value.length < minLength) return report("out-of-range", node, path, "text that is not empty", shown(value));
  if (matches(schema, value)) return value;
  if (schema.pattern === IDENTIFIER_PATTERN) {
    return report("bad-name", node, path, nameExpected(schema), shown(value), spelledRight(schema, value));
  }
  if (lengthOf(value) > maxLength) {
    return report("out-of-range", node, path, `at most ${maxLength} characters`, `${lengthOf(value)} characters`);
  }
  return report("wrong-value", node, path, `text like ${schema.default ?? schema.pattern}`, shown(value));
}

/** In characters, as JSON Schema counts. */
const lengthOf = (text: string): number => [...text].length;

const matches = (schema: Schema, value: string): boolean =>
  lengthOf(value) <= (schema.maxLength ?? Number.POSITIVE_INFINITY) &&
  (schema.pattern === undefined || new RegExp(schema.pattern).test(value));

const nameExpected = (schema: Schema): string =>
  schema.pattern === IDENTIFIER_PATTERN
    ? `a name (a letter, then letters, digits and _, at most ${IDENTIFIER_MAX_LENGTH} characters)`
    : `a name like ${schema.pattern}, at most ${schema.maxLength} characters`;

/** The identifier a name such as `order-line` was on its way to be. */
function spelledRight(schema: Schema, value: string): string | undefined {
  const spelled = namesOf(value.slice(0, IDENTIFIER_MAX_LENGTH)).snake;
  return matches(schema, spelled) && spelled !== "" ? didYouMean(spelled) : undefined;
}

function acceptNumber(node: Node, schema: Schema, path: Path, report: Report): unknown {
  const value = node.kind === "scalar" ? node.value : undefined;
  const kind = schema.type === "integer" ? "a whole number" : "a number";
  const { minimum, maximum } = schema;
  const range = minimum === undefined || maximum === undefined ? "" : ` from ${minimum} to ${maximum}`;
  if (typeof value !== "number" || (schema.type === "integer" && !Number.isInteger(value))) {
    const hint = typeof value === "string" && /^-?[0-9]+$/.test(value) ? "write it without quotes" : undefined;
    return report("wrong-type", node, path, kind + range, got(node), hint);
  }
  if (value < (minimum ?? value) || value > (maximum ?? value)) {
    return report("out-of-range", node, path, kind + range, got(node));
  }
  return value;
}

function acceptDuration(node: Node, path: Path, report: Report): unknown {
  const expected = 'a duration (whole seconds, or text such as "1500ms", "30s", "5m", "2h")';
  const ms = node.kind === "scalar" ? parseDuration(node.value) : null;
  if (ms === null) return report("wrong-type", node, path, expected, got(node));
  if (ms === 0) return report("out-of-range", node, path, "a duration above zero", got(node));
  if (ms > DURATION_MAX_MS) return report("out-of-range", node, path, "at most a year (8760h)", got(node));
  return ms;
}

/** What an expression in it is worth, a rule says. */
function acceptDelay(node: Node, path: Path, report: Report): unknown {
  const isExpression = node.kind === "scalar" && typeof node.value === "string" && node.value.includes("${");
  return isExpression ? node.value : acceptDuration(node, path, report);
}

function acceptSize(node: Node, path: Path, report: Report): unknown {
  const expected = 'a size (bytes, or text such as "512KiB", "1MiB")';
  const bytes = node.kind === "scalar" ? parseSize(node.value) : null;
  if (bytes === null) return report("wrong-type", node, path, expected, got(node));
  if (bytes < 1 || bytes > SIZE_MAX_BYTES) return report("out-of-range", node, path, "1B to 1GiB", got(node));
  return bytes;
}

function acceptNumeric(node: Node, forms: readonly Schema[], path: Path, report: Report): unknown {
  const value = node.kind === "scalar" ? node.value : undefined;
  const fits = forms.some((form) => typeof value === form.type && (typeof value !== "string" || matches(form, value)));
  return fits ? value : report("wrong-type", node, path, "a number, or text that spells one", got(node));
}
