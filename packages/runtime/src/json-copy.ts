/** The value is not as plain, or not as small, as a copy without text needs it to be. */
export const NOT_PLAIN = Symbol("not plain");

const MAX_DEPTH = 8;
const MAX_CHARACTERS = 4_096;
/** What is copied is smaller than this as text: a character is six bytes at most, as an escape. */
export const MAX_COPIED_BYTES = 6 * MAX_CHARACTERS;

/** What a value's text takes beside the characters of its strings, in characters of six bytes: quotes, braces, colons and commas, too. */
const COST = { number: 5, other: 1 };

let charactersLeft = 0;

/**
 * The copy that `JSON.parse(JSON.stringify(value))` would give, for what nearly every step returns: a small object of plain
 * values. It takes a fifth of the time, and it is done with every step. Whatever is not that is `NOT_PLAIN`, and left to JSON itself,
 * with all that it may throw. `accepts`: which texts and keys may be stored.
 */
export function plainCopy(value: unknown, accepts: Accepts): unknown {
  charactersLeft = MAX_CHARACTERS;
  try {
    return copy(value, accepts, 0);
  } catch {
    // A getter, or a proxy, threw: JSON says so, and where.
    return NOT_PLAIN;
  }
}

export interface Accepts {
  text(text: string): boolean;
  key(key: string): boolean;
}

function copy(value: unknown, accepts: Accepts, depth: number): unknown {
  switch (typeof value) {
    case "string":
      return spend(value.length + COST.other) && accepts.text(value) ? value : NOT_PLAIN;
    case "number":
      // JSON has no negative zero.
      return spend(COST.number) && Number.isFinite(value) ? value + 0 : NOT_PLAIN;
    case "boolean":
      return spend(COST.other) ? value : NOT_PLAIN;
    case "object":
      if (!spend(COST.other)) return NOT_PLAIN;
      return value === null ? null : copyObject(value, accepts, depth);
    default:
      return NOT_PLAIN;
  }
}

function spend(characters: number): boolean {
  charactersLeft -= characters;
  return charactersLeft >= 0;
}

function copyObject(value: object, accepts: Accepts, depth: number): unknown {
  if (depth > MAX_DEPTH) return NOT_PLAIN;
  if (Array.isArray(value)) return copyArray(value, accepts, depth);
  if (Object.getPrototypeOf(value) !== Object.prototype) return NOT_PLAIN;
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (!spend(key.length + COST.other) || key === "toJSON" || !accepts.key(key)) return NOT_PLAIN;
    const copied = copy((value as Record<string, unknown>)[key], accepts, depth + 1);
    if (copied === NOT_PLAIN) return NOT_PLAIN;
    result[key] = copied;
  }
  return result;
}

function copyArray(values: readonly unknown[], accepts: Accepts, depth: number): unknown {
  if ("toJSON" in values) return NOT_PLAIN;
  const result: unknown[] = [];
  for (const value of values) {
    const copied = copy(value, accepts, depth + 1);
    if (copied === NOT_PLAIN) return NOT_PLAIN;
    result.push(copied);
  }
  return result;
}
