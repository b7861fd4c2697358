/**
 * The only ways a string a stranger typed gets into TypeScript: as a literal, or as text of a comment. Names are checked
 * identifiers and may be printed as they are.
 */
import type { JsonValue } from "./model.js";

// JSON's escapes leave these: line separators end a line in older parsers, the rest are invisible or reorder text.
const INVISIBLE = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

const escapeCodeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** A TypeScript expression for a JSON value. Safe inside any expression; not meant for inside a template literal. */
export function literal(value: JsonValue): string {
  // As a key of a literal, `"__proto__": x` would set the prototype; computed, it is a property like any other.
  return JSON.stringify(value, null, 2)
    .replace(INVISIBLE, escapeCodeUnit)
    .replace(/^(\s*)"__proto__":/gm, '$1["__proto__"]:');
}

/** One line of text that cannot end a `//` or a block comment. */
export function commentText(text: string): string {
  return text.replace(/\s+/g, " ").replace(INVISIBLE, "").replaceAll("*/", "* /").trim();
}
