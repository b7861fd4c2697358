import { RuntimeError } from "./errors.js";
import { type Accepts, MAX_COPIED_BYTES, NOT_PLAIN, plainCopy } from "./json-copy.js";

/** A JSON value (RFC 8259). Payloads of runs and sessions are made of nothing else. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** Keys that would reach an object's prototype when merged. Refused in every payload. */
const FORBIDDEN_KEYS = new Set(["__proto__", "constructor", "prototype"]);
const MAX_DEPTH = 64;

/**
 * Takes any value a user's code returned and gives the JSON that a store will give back, or throws `input-invalid`
 * naming the place. `undefined` becomes null. Refuses what a database would refuse later for a whole batch: NUL
 * characters and lone surrogates. Bound: `maxBytes` of text (default 1 MiB), 64 levels.
 */
export function toJson(value: unknown, what: string | (() => string), maxBytes = 1_048_576): Json {
  // What can only be small is not measured.
  const copied = maxBytes >= MAX_COPIED_BYTES ? plainCopy(value, STORABLE) : NOT_PLAIN;
  if (copied !== NOT_PLAIN) return copied as Json;
  const text = stringify(value, what);
  if (text === undefined) return null;
  // A character takes three bytes at most.
  const bytes = text.length * 3 <= maxBytes ? 0 : Buffer.byteLength(text);
  if (bytes > maxBytes) {
    const name = nameOf(what);
    const message = `expected ${name} of at most ${maxBytes} bytes, got ${bytes}`;
    throw new RuntimeError("payload-too-large", message, { what: name });
  }
  const json = JSON.parse(text) as Json;
  // Nearly everything is in order: only what is not is walked a second time, for its place.
  if (!isStorable(json, 0)) checkJson(json, nameOf(what), 0);
  return json;
}

const STORABLE: Accepts = {
  text: isStorableText,
  key: (key) => !FORBIDDEN_KEYS.has(key) && isStorableText(key),
};

function nameOf(what: string | (() => string)): string {
  return typeof what === "string" ? what : what();
}

function isStorable(value: Json, depth: number): boolean {
  if (typeof value === "string") return isStorableText(value);
  if (value === null || typeof value !== "object") return true;
  if (depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((item: Json) => isStorable(item, depth + 1));
  for (const key of Object.keys(value)) {
    if (FORBIDDEN_KEYS.has(key) || !isStorableText(key)) return false;
    if (!isStorable((value as JsonObject)[key] ?? null, depth + 1)) return false;
  }
  return true;
}

/** Well-formed Unicode without NUL: what every database takes. */
export function isStorableText(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

function checkJson(value: Json, where: string, depth: number): void {
  if (depth > MAX_DEPTH)
    throw new RuntimeError("input-invalid", `expected at most ${MAX_DEPTH} levels in ${where}, got more`);
  if (typeof value === "string") return checkText(value, where);
  if (value === null || typeof value !== "object") return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) checkJson(item, `${where}[${index}]`, depth + 1);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    if (FORBIDDEN_KEYS.has(key))
      throw new RuntimeError("input-invalid", `expected no key ${JSON.stringify(key)} in ${where}; rename it`);
    checkText(key, where);
    checkJson(item, `${where}.${key}`, depth + 1);
  }
}

/** JSON text, or undefined where JSON has none (a function, undefined). Error: `input-invalid`. */
export function stringify(value: unknown, what: string | (() => string)): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    const message = `expected ${nameOf(what)} to be JSON, got a value that is not: ${String(cause)}`;
    throw new RuntimeError("input-invalid", message, { what: nameOf(what) }, { cause });
  }
}

/** Refuses what a database would refuse: NUL characters and lone surrogates. Error: `input-invalid`. */
export function checkText(text: string, what: string): void {
  if (isStorableText(text)) return;
  const got = JSON.stringify(text.slice(0, 40));
  throw new RuntimeError("input-invalid", `expected well-formed Unicode without NUL in ${what}, got ${got}`);
}

/** Canonical JSON (RFC 8785): object keys sorted by UTF-16 code units, no white space. Equal values, equal text. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const object = value as JsonObject;
  const members = Object.keys(object).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonicalJson(object[key] as Json)}`).join(",")}}`;
}

/** JSON Merge Patch (RFC 7396): `null` deletes, objects merge, everything else replaces. Pure. */
export function mergePatch(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const result: Record<string, Json> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (FORBIDDEN_KEYS.has(key)) continue;
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key] ?? null, value);
  }
  return result;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
