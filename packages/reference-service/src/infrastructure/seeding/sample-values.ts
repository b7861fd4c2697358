/** A value that fits a field, for the n-th of many made-up entities: another one each time, as far as the field allows. */
import { randomUUID } from "node:crypto";
import type { Field } from "../../domain/fields.js";

/** A text that a pattern matches, and the places where its digits and letters may be any other of their kind. */
export interface PatternSample {
  readonly text: string;
  readonly varies: readonly number[];
}

const DAY_MS = 86_400_000;
const FIRST_DAY = Date.UTC(2000, 0, 1);
const DAYS = 36_525;
const RANGE = 1_000_000;

/** Undefined: nothing that fits can be made up. A reference is the caller's. */
export function sampleValue(name: string, field: Field, n: number, pattern: PatternSample | undefined): unknown {
  switch (field.type) {
    case "string":
    case "text":
      return field.pattern === undefined ? textOf(name, field, n) : pattern && variation(pattern, n);
    case "integer":
      return Number(wholeOf(field, n));
    case "bigint":
      return wholeOf(field, n);
    case "decimal":
      return decimalOf(field, n);
    case "boolean":
      return n % 2 === 0;
    case "uuid":
      return randomUUID();
    case "date":
      return new Date(FIRST_DAY + (n % DAYS) * DAY_MS).toISOString().slice(0, 10);
    case "timestamp":
      return new Date(FIRST_DAY + n * 1_000).toISOString();
    case "json":
      return { n };
    case "enum":
      return field.values?.[n % field.values.length];
    case "reference":
      return undefined;
  }
}

/** `title 17`; where that is too long, as many last characters of the number as there is room for. */
function textOf(name: string, { minLength = 0, maxLength = 200 }: Field, n: number): string {
  const words = `${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)} ${n}`;
  return (words.length <= maxLength ? words : n.toString(36).slice(-maxLength)).padStart(minLength, "x");
}

/** Within both bounds, if whole numbers are; one bound alone leaves room on its other side. */
function wholeOf({ min, max }: Field, n: number): bigint {
  const low = min === undefined ? null : ceiling(String(min));
  const high = max === undefined ? null : floor(String(max));
  const first = low ?? (high === null || high >= 1n ? 1n : high - BigInt(RANGE));
  const last = high ?? first + BigInt(RANGE);
  return last <= first ? first : first + (BigInt(n) % (last - first + 1n));
}

/** With cents, where they do not lead out of the bounds. */
function decimalOf(field: Field, n: number): string {
  const whole = wholeOf(field, Math.floor(n / 100));
  const { max, min } = field;
  const isInside = whole >= 0n && (max === undefined || whole < floor(String(max)));
  if (isInside) return `${whole}.${String(n % 100).padStart(2, "0")}`;
  const fits = min === undefined || whole >= ceiling(String(min));
  return fits && (max === undefined || whole <= floor(String(max))) ? String(whole) : String(min ?? max);
}

const parts = (decimal: string): { whole: bigint; isExact: boolean; isNegative: boolean } => {
  const [whole = "0", fraction = ""] = decimal.split(".");
  return { whole: BigInt(whole), isExact: !/[1-9]/.test(fraction), isNegative: decimal.startsWith("-") };
};
const floor = (decimal: string): bigint => {
  const { whole, isExact, isNegative } = parts(decimal);
  return isNegative && !isExact ? whole - 1n : whole;
};
const ceiling = (decimal: string): bigint => {
  const { whole, isExact, isNegative } = parts(decimal);
  return !isNegative && !isExact ? whole + 1n : whole;
};

const KINDS = ["0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"] as const;

/** The n-th text of the kind, counted up from its last place. */
function variation({ text, varies }: PatternSample, n: number): string {
  const characters = [...text];
  let left = n;
  for (const place of [...varies].reverse()) {
    const kind = KINDS.find((each) => each.includes(characters[place] ?? " ")) ?? " ";
    characters[place] = kind.charAt(left % kind.length);
    left = Math.floor(left / kind.length);
  }
  return characters.join("");
}
