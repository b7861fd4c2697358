/** Entities: names that become types, tables and paths; fields whose keys fit their type; references that can be met. */
import { printable, shown } from "../../diagnostics.js";
import type { FieldType } from "../../model.js";
import { IMPLICIT_FIELDS, nearestName, pluralOf } from "../../naming.js";
import { isBacktrackingBounded, type Patience, patienceForOneConfig } from "../backtracking.js";
import type { Path } from "../node.js";
import type { EntityConfig, FieldConfig } from "../schema.js";
import { checkNames, type Loose, present, type Rule, type RuleInput } from "./rule.js";

type LooseEntity = Loose<EntityConfig>;
type LooseField = Loose<FieldConfig>;

export const checkDomain: Rule = ({ config, report }) => {
  const entities = present(config.domain?.entities as readonly (LooseEntity | undefined)[]);
  const base: Path = ["domain", "entities"];
  const named = entities.flatMap(({ item, i }) =>
    item.name === undefined ? [] : [{ name: item.name, path: [...base, i, "name"] }],
  );
  checkNames(report, "entity", named, (names) => [`${pluralOf(names.snake).snake} (table)`]);
  const known = named.map(({ name }) => name);
  const patience = patienceForOneConfig();
  for (const { item, i } of entities) checkEntity(item, [...base, i], { entities: known, patience }, report);
  checkCycles(entities, base, report);
};

function checkEntity(
  entity: LooseEntity,
  path: Path,
  around: Omit<Surroundings, "isIndexed">,
  report: RuleInput["report"],
): void {
  const fields = present(entity.fields as readonly (LooseField | undefined)[]);
  const named = fields.flatMap(({ item, i }) =>
    item.name === undefined ? [] : [{ name: item.name, path: [...path, "fields", i, "name"] }],
  );
  checkNames(report, "field", named);
  const inIndexes = new Set(
    present(entity.indexes).flatMap(({ item }) => present(item.fields).map(({ item: of }) => of)),
  );
  for (const { item, i } of fields) {
    const isIndexed = item.unique === true || (item.name !== undefined && inIndexes.has(item.name));
    checkField(item, [...path, "fields", i], { ...around, isIndexed }, report);
  }
  const columns = [...named.map(({ name }) => name), ...IMPLICIT_FIELDS];
  for (const { item: index, i } of present(entity.indexes)) {
    for (const { item: name, i: j } of present(index.fields)) {
      const at = [...path, "indexes", i, "fields", j];
      if (!columns.includes(name)) {
        const nearest = nearestName(name, columns);
        const hint = nearest === null ? {} : { hint: `did you mean ${nearest}` };
        report({ code: "unknown-field", path: at, expected: "a field of the entity", got: shown(name), ...hint });
      } else if (index.fields?.indexOf(name) !== j) {
        report({ code: "duplicate-name", path: at, expected: "each field once", got: shown(name), hint: "remove one" });
      }
    }
  }
}

/** What an index of PostgreSQL can hold, and what the service tries a pattern on. */
const MAX_INDEXED_LENGTH = 512;
const MAX_LENGTH_FOR_PATTERN = 1000;

const NUMBERS: readonly FieldType[] = ["integer", "bigint", "decimal"];
const TEXTS: readonly FieldType[] = ["string", "text"];

/** Keys that only some types have. */
const KEYS_OF_TYPES: readonly (readonly [keyof LooseField, readonly FieldType[]])[] = [
  ["min", NUMBERS],
  ["max", NUMBERS],
  ["min_length", TEXTS],
  ["max_length", TEXTS],
  ["pattern", TEXTS],
  ["values", ["enum"]],
  ["entity", ["reference"]],
  ["on_delete", ["reference"]],
];

interface Surroundings {
  readonly entities: readonly string[];
  readonly isIndexed: boolean;
  readonly patience: Patience;
}

function checkField(
  field: LooseField,
  path: Path,
  { entities, isIndexed, patience }: Surroundings,
  report: RuleInput["report"],
): void {
  const type = field.type;
  if (type === undefined) return;
  for (const [key, types] of KEYS_OF_TYPES) {
    if (field[key] === undefined || types.includes(type)) continue;
    const expected = `\`${key}\` only with type ${types.join(", ")}`;
    report({
      code: "misplaced-key",
      path: [...path, key],
      at: "key",
      expected,
      got: `type ${type}`,
      hint: "remove it",
    });
  }
  const need = (key: "values" | "entity"): void =>
    report({
      code: "missing-key",
      path: [...path, key],
      expected: `the key \`${key}\` of type ${type}`,
      got: "nothing",
    });
  if (type === "enum" && field.values === undefined) need("values");
  if (type === "reference") {
    if (field.entity === undefined) need("entity");
    else if (!entities.some((name) => name === field.entity)) {
      const nearest = nearestName(field.entity, entities);
      const hint = nearest === null ? {} : { hint: `did you mean ${nearest}` };
      const expected = "an entity of this domain";
      report({ code: "unknown-entity", path: [...path, "entity"], expected, got: shown(field.entity), ...hint });
    }
    if (field.on_delete === "set_null" && field.required === true) {
      const expected = "restrict or cascade, since the field is required";
      report({ code: "wrong-value", path: [...path, "on_delete"], expected, got: "set_null" });
    }
  }
  checkBounds(field, path, report);
  const sound = checkPattern(field, path, patience, report);
  const limits = limitsOf(field, isIndexed);
  if (TEXTS.includes(type) && (field.min_length ?? 0) > limits.longest) {
    const expected = `at most ${limits.longest}, ${limits.because}`;
    report({ code: "out-of-range", path: [...path, "min_length"], expected, got: String(field.min_length) });
  }
  const wrong = field.default === undefined ? null : defaultExpected(field, field.default, limits, sound);
  if (wrong !== null)
    report({ code: "bad-default", path: [...path, "default"], expected: wrong, got: shown(field.default) });
}

/** The pattern as an expression; null when there is none that can be used. */
function checkPattern(field: LooseField, path: Path, patience: Patience, report: RuleInput["report"]): RegExp | null {
  if (field.pattern === undefined || !TEXTS.includes(field.type ?? "json")) return null;
  const refuse = (expected: string, hint: string): null => {
    report({ code: "bad-pattern", path: [...path, "pattern"], expected, got: shown(field.pattern), hint });
    return null;
  };
  let expression: RegExp;
  try {
    expression = new RegExp(field.pattern, "u");
  } catch (error) {
    const reason = (error as Error).message.split(": ").at(-1) ?? "";
    return refuse("a regular expression of JavaScript with the flag u", printable(reason));
  }
  if (isBacktrackingBounded(field.pattern, patience)) return expression;
  return refuse(
    "a regular expression that takes little time on any text",
    "repeat nothing that the same text can match in two ways, as (a+)+ and (a|a)* do; no back references",
  );
}

/** What a text may be long at most, and why, as far as the config leads to it without saying it. */
function limitsOf(field: LooseField, isIndexed: boolean): { longest: number; because: string } {
  const byPattern = field.pattern === undefined ? Number.POSITIVE_INFINITY : MAX_LENGTH_FOR_PATTERN;
  const byIndex = isIndexed && field.max_length === undefined ? MAX_INDEXED_LENGTH : Number.POSITIVE_INFINITY;
  if (byIndex < byPattern) return { longest: byIndex, because: "since it is indexed and has no max_length" };
  return { longest: byPattern, because: "since it has a pattern" };
}

function checkBounds(field: LooseField, path: Path, report: RuleInput["report"]): void {
  const areNumbers =
    NUMBERS.includes(field.type ?? "json") &&
    (["min", "max"] as const).every((key) => numberProblem(field.type, field[key] ?? 0) === null);
  if (areNumbers && field.min !== undefined && field.max !== undefined && compareNumbers(field.min, field.max) > 0) {
    report({
      code: "out-of-range",
      path: [...path, "max"],
      expected: `at least min (${field.min})`,
      got: shown(field.max),
    });
  }
  const { min_length: shortest, max_length: longest } = field;
  if (shortest !== undefined && longest !== undefined && shortest > longest) {
    const expected = `at least min_length (${shortest})`;
    report({ code: "out-of-range", path: [...path, "max_length"], expected, got: String(longest) });
  }
  for (const key of ["min", "max"] as const) {
    const value = field[key];
    if (value === undefined) continue;
    const problem = numberProblem(field.type, value);
    if (problem !== null) report({ code: "wrong-value", path: [...path, key], got: shown(value), ...problem });
  }
}

const INT64_MAX = 2n ** 63n - 1n;
const DECIMAL = /^-?[0-9]{1,40}(\.[0-9]{1,40})?$/;
const IN_QUOTES = "YAML reads it as a double, which cannot hold it; write it in quotes";

/** Why a number cannot be a bound or a default of the type; null when it can. Other types' keys are refused elsewhere. */
function numberProblem(
  type: FieldType | undefined,
  value: number | string,
): { readonly expected: string; readonly hint?: string } | null {
  const text = typeof value === "number" ? plainNumber(value) : value;
  switch (type) {
    case "integer":
      return Number.isSafeInteger(Number(text)) && /^-?[0-9]+$/.test(text)
        ? null
        : { expected: `a whole number within ±${Number.MAX_SAFE_INTEGER}` };
    case "bigint": {
      const expected = "a whole number of 64 bits";
      if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) {
        return { expected, hint: IN_QUOTES };
      }
      if (!/^-?[0-9]+$/.test(text)) return { expected };
      const integer = BigInt(text);
      return integer > INT64_MAX || integer < -INT64_MAX - 1n ? { expected } : null;
    }
    case "decimal": {
      const expected = "a decimal of at most 40 digits before and 40 after the point";
      // A double keeps 15 digits of any decimal; with more, what was written may have been another number.
      const digits = text.replace(/[-.]/g, "").replace(/^0+|0+$/g, "");
      if (typeof value === "number" && digits.length > 15) return { expected, hint: IN_QUOTES };
      return DECIMAL.test(text) ? null : { expected };
    }
    default:
      return null;
  }
}

/** Compares decimals by their digits, since a bigint or decimal may not fit a double. */
function compareNumbers(a: number | string, b: number | string): number {
  const scaled = (value: number | string): bigint => {
    const text = typeof value === "number" ? plainNumber(value) : value;
    const [whole = "0", fraction = ""] = text.replace("-", "").split(".");
    const digits = BigInt(whole + fraction.padEnd(400, "0"));
    return text.startsWith("-") ? -digits : digits;
  };
  const [left, right] = [scaled(a), scaled(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** A double without an exponent. */
export const plainNumber = (value: number): string =>
  /e/i.test(String(value))
    ? value
        .toFixed(Math.abs(value) < 1 ? 40 : 0)
        .replace(/(\.[0-9]*?)0+$/, "$1")
        .replace(/\.$/, "")
    : String(value);

/** What a default of the field must be; null when it is that. */
function defaultExpected(
  field: LooseField,
  value: NonNullable<unknown> | null,
  limits: { readonly longest: number; readonly because: string },
  pattern: RegExp | null,
): string | null {
  const text = typeof value === "string" ? value : null;
  const bounded = (): string | null => {
    if (typeof value !== "number" && text === null) return "a number";
    const number = value as number | string;
    const problem = numberProblem(field.type, number);
    if (problem !== null)
      return problem.hint === undefined ? problem.expected : `${problem.expected} (${problem.hint})`;
    if ([field.min, field.max].some((bound) => bound !== undefined && numberProblem(field.type, bound) !== null))
      return null;
    const outside =
      (field.min !== undefined && compareNumbers(number, field.min) < 0) ||
      (field.max !== undefined && compareNumbers(number, field.max) > 0);
    return outside ? "a default within min and max" : null;
  };
  switch (field.type) {
    case "string":
    case "text":
      if (text === null) return "text";
      if (field.max_length !== undefined && [...text].length > field.max_length) return "text within max_length";
      if (field.min_length !== undefined && [...text].length < field.min_length) return "text of at least min_length";
      if ([...text].length > limits.longest) return `text of at most ${limits.longest} characters, ${limits.because}`;
      return pattern === null || pattern.test(text) ? null : "text that the pattern matches";
    case "integer":
      return typeof value === "number" ? bounded() : "a whole number";
    case "bigint":
    case "decimal":
      return bounded();
    case "boolean":
      return typeof value === "boolean" ? null : "true or false";
    case "uuid":
      return text !== null && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text) ? null : "a uuid";
    case "date":
      return isDate(text, /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/) ? null : 'a date such as "2026-01-31"';
    case "timestamp":
      return isDate(text, TIMESTAMP) ? null : 'a time such as "2026-01-31T12:00:00Z"';
    case "enum":
      return text !== null && (field.values ?? [text]).includes(text)
        ? null
        : `one of ${(field.values ?? []).join(", ")}`;
    case "reference":
      return "no default for a reference";
    default:
      return value === null && field.required === true ? "a value, since the field is required" : null;
  }
}

const TIMESTAMP =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$/;

function isDate(text: string | null, form: RegExp): boolean {
  // Years from 1 to 9999, also after an offset is taken off.
  if (text === null || !form.test(text) || /^(0000|0001-01-01T|9999-12-31T)/.test(text)) return false;
  const time = Date.parse(text);
  // Date.parse rolls the 31st of a short month over; the calendar does not.
  return !Number.isNaN(time) && new Date(`${text.slice(0, 10)}T00:00:00Z`).toISOString().startsWith(text.slice(0, 10));
}

/** A cycle of required references: no record of it could ever be the first. */
function checkCycles(entities: { item: LooseEntity; i: number }[], base: Path, report: RuleInput["report"]): void {
  const edges = new Map<string, { target: string; path: Path }[]>();
  for (const { item, i } of entities) {
    if (item.name === undefined) continue;
    const fields = present(item.fields as readonly (LooseField | undefined)[]);
    edges.set(
      item.name,
      fields.flatMap(({ item: field, i: j }) =>
        field.type === "reference" && field.required === true && field.entity !== undefined
          ? [{ target: field.entity, path: [...base, i, "fields", j, "entity"] }]
          : [],
      ),
    );
  }
  for (const { cycle, path } of cyclesOf(edges)) {
    const hint = "make one of the references optional";
    report({
      code: "reference-cycle",
      path,
      expected: "required references without a cycle",
      got: cycle.join(" -> "),
      hint,
    });
  }
}

/** One entry for each edge that closes a cycle, in the order of the edges. */
export function cyclesOf(
  edges: ReadonlyMap<string, readonly { target: string; path: Path }[]>,
): { cycle: string[]; path: Path }[] {
  const found: { cycle: string[]; path: Path }[] = [];
  const done = new Set<string>();
  const visit = (name: string, trail: readonly string[]): void => {
    for (const { target, path } of edges.get(name) ?? []) {
      const start = [...trail, name].indexOf(target);
      if (start >= 0) found.push({ cycle: [...[...trail, name].slice(start), target], path });
      else if (!done.has(target)) visit(target, [...trail, name]);
    }
    done.add(name);
  };
  for (const name of edges.keys()) if (!done.has(name)) visit(name, []);
  return found;
}
