/**
 * Decimals are exact and travel as text (`"19.90"`): no step turns them into binary floating point. The scale is kept as
 * it was written; `1.0` and `1.00` are equal.
 */

/** Digits before and after the point together. */
const MAX_DIGITS = 100;

/** A double keeps any decimal of so many significant digits; with more, the sender's number may have been another. */
const DIGITS_A_DOUBLE_KEEPS = 15;

const PLAIN = /^([+-]?)0*(\d+)(?:\.(\d+))?$/;

/** The decimal as plain digits (`-12.50`), or null when `value` is none or cannot be taken exactly. */
export function decimalText(value: unknown): string | null {
  if (typeof value === "number") return numberText(value);
  if (typeof value === "bigint") return plainText(value.toString());
  // The bound comes before the expression, so that its cost is bounded too.
  return typeof value === "string" && value.length <= 2 * MAX_DIGITS ? plainText(value) : null;
}

function plainText(text: string): string | null {
  const match = PLAIN.exec(text);
  if (match === null) return null;
  const [, sign = "", whole = "", fraction] = match;
  if (whole.length + (fraction?.length ?? 0) > MAX_DIGITS) return null;
  const digits = fraction === undefined ? whole : `${whole}.${fraction}`;
  return sign === "-" && /[1-9]/.test(digits) ? `-${digits}` : digits;
}

/** The shortest text that reads back as this double, without an exponent. */
function numberText(value: number): string | null {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  if (match === null) return null;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  const digits = whole + fraction;
  if (digits.replace(/^0+|0+$/g, "").length > DIGITS_A_DOUBLE_KEEPS) return null;
  const point = whole.length + Number(exponent);
  if (point > MAX_DIGITS || digits.length - point > MAX_DIGITS) return null;
  if (point <= 0) return plainText(`${sign}0.${"0".repeat(-point)}${digits}`);
  const padded = digits.padEnd(point, "0");
  const rest = padded.slice(point);
  return plainText(`${sign}${padded.slice(0, point)}${rest === "" ? "" : `.${rest}`}`);
}

/** Negative, zero or positive as `left` is less than, equal to or greater than `right`; both are plain digits. */
export function compareDecimals(left: string, right: string): number {
  const scale = Math.max(scaleOf(left), scaleOf(right));
  const difference = unscaled(left, scale) - unscaled(right, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

function scaleOf(decimal: string): number {
  const point = decimal.indexOf(".");
  return point < 0 ? 0 : decimal.length - point - 1;
}

function unscaled(decimal: string, scale: number): bigint {
  return BigInt(decimal.replace(".", "") + "0".repeat(scale - scaleOf(decimal)));
}
