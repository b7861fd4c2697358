/** One reader per field type: takes what a stranger sent and gives the one form the value is kept in, or says no. */
import { compareDecimals, decimalText } from "./decimal.js";
import type { Field, FieldType } from "./fields.js";
import { isJson, isKeepable } from "./json.js";

/** Bounds the work of a pattern, whatever `maxLength` says. */
const MAX_LENGTH_FOR_PATTERN = 1000;

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Not a value: what was expected instead. */
export class Expected {
  readonly message: string;

  constructor(message: string) {
    this.message = `expected ${message}`;
  }
}

/** The value in the form it is kept in, or an `Expected`. Never throws. */
export function readValue(field: Field, value: unknown): unknown {
  return readers[field.type](value, field);
}

type Reader = (value: unknown, field: Field) => unknown;

const readers: Readonly<Record<FieldType, Reader>> = {
  string: readText,
  text: readText,
  integer: readInteger,
  bigint: readBigint,
  decimal: readDecimal,
  boolean: (value) => (typeof value === "boolean" ? value : new Expected("true or false")),
  uuid: readUuid,
  date: readDate,
  timestamp: readTimestamp,
  json: (value) => (isJson(value) ? value : new Expected("JSON of at most 64 levels, without NUL or __proto__")),
  enum: readEnum,
  reference: readUuid,
};

function readText(value: unknown, field: Field): unknown {
  if (typeof value !== "string") return new Expected("text");
  if (!isKeepable(value)) return new Expected("Unicode text without NUL");
  const { minLength, maxLength, pattern } = field;
  const length = characters(value);
  if (minLength !== undefined && length < minLength) return new Expected(`at least ${minLength} characters`);
  if (maxLength !== undefined && length > maxLength) return new Expected(`at most ${maxLength} characters`);
  if (pattern === undefined) return value;
  if (length > MAX_LENGTH_FOR_PATTERN) return new Expected(`at most ${MAX_LENGTH_FOR_PATTERN} characters`);
  return expressionOf(pattern).test(value) ? value : new Expected(`text that matches ${pattern}`);
}

/** By pattern; there are as many as the fields have. */
const expressions = new Map<string, RegExp>();

function expressionOf(pattern: string): RegExp {
  const expression = expressions.get(pattern) ?? new RegExp(pattern, "u");
  expressions.set(pattern, expression);
  return expression;
}

/** As databases and JSON Schema count: a surrogate pair is one. */
function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

function readInteger(value: unknown, field: Field): unknown {
  if (!Number.isSafeInteger(value)) return new Expected("a whole number within ±9007199254740991");
  // -0 is a double of its own; as an integer there is only one zero.
  const integer = (value as number) + 0;
  const { min, max } = field;
  if (min !== undefined && integer < Number(min)) return new Expected(`at least ${min}`);
  if (max !== undefined && integer > Number(max)) return new Expected(`at most ${max}`);
  return integer;
}

function readBigint(value: unknown, field: Field): unknown {
  const expected = new Expected("a whole number of 64 bits; beyond ±9007199254740991 as text");
  if (typeof value === "number" && !Number.isSafeInteger(value)) return expected;
  if (typeof value === "string" && !/^[+-]?\d{1,40}$/.test(value)) return expected;
  if (typeof value !== "number" && typeof value !== "string" && typeof value !== "bigint") return expected;
  const integer = BigInt(value);
  if (integer < INT64_MIN || integer > INT64_MAX) return expected;
  const { min, max } = field;
  if (min !== undefined && integer < BigInt(min)) return new Expected(`at least ${min}`);
  if (max !== undefined && integer > BigInt(max)) return new Expected(`at most ${max}`);
  return integer;
}

function readDecimal(value: unknown, field: Field): unknown {
  const decimal = decimalText(value);
  if (decimal === null) {
    return new Expected("a decimal of at most 100 digits without an exponent; with more than 15 digits as text");
  }
  const { min, max } = field;
  if (min !== undefined && compareDecimals(decimal, String(min)) < 0) return new Expected(`at least ${min}`);
  if (max !== undefined && compareDecimals(decimal, String(max)) > 0) return new Expected(`at most ${max}`);
  return decimal;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function isUuid(value: unknown): value is string {
  return typeof value === "string" && UUID.test(value);
}

function readUuid(value: unknown): unknown {
  return isUuid(value) ? value.toLowerCase() : new Expected("a UUID");
}

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

function readDate(value: unknown): unknown {
  return typeof value === "string" && isDate(value) ? value : new Expected("a date, YYYY-MM-DD");
}

function isDate(text: string): boolean {
  const match = DATE.exec(text);
  if (match === null) return false;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return year >= 1 && day >= 1 && day <= days;
}

const TIMESTAMP =
  /^(\d{4}-\d{2}-\d{2})T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;

/** Kept in UTC with milliseconds; finer fractions are cut off. */
function readTimestamp(value: unknown): unknown {
  const expected = new Expected("a time with its offset, as 2026-01-31T09:30:00Z");
  if (typeof value !== "string") return expected;
  const match = TIMESTAMP.exec(value);
  if (match === null || !isDate(match[1] ?? "")) return expected;
  const iso = new Date(value.toUpperCase().replace(/(\.\d{3})\d+/, "$1")).toISOString();
  // An offset may lead out of the years 1 to 9999, where the text has another shape.
  return /^(?!0000)\d{4}-/.test(iso) ? iso : expected;
}

function readEnum(value: unknown, field: Field): unknown {
  const values = field.values ?? [];
  return values.includes(value as string) ? value : new Expected(`one of ${values.join(", ")}`);
}
