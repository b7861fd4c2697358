/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

/** Levels of arrays and objects a value may nest. */
const MAX_DEPTH = 64;

/** Text that every database can keep: no NUL, no half of a surrogate pair. */
export function isKeepable(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

/** True for plain JSON that can be kept and given back unchanged. */
export function isJson(value: unknown, depth = 0): value is Json {
  if (value === null || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value === "string") return isKeepable(value);
  if (typeof value !== "object" || depth === MAX_DEPTH) return false;
  // Not `every`: it steps over holes.
  if (Array.isArray(value)) return !Array.from(value).some((item) => !isJson(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  // As a key of an object literal `__proto__` would set a prototype somewhere down the road.
  return Object.entries(value).every(
    ([key, item]) => key !== "__proto__" && isKeepable(key) && isJson(item, depth + 1),
  );
}

function isJsonObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON Merge Patch (RFC 7396): objects merge key by key, null removes a key, anything else replaces. */
export function mergePatch(target: Json, patch: Json): Json {
  if (!isJsonObject(patch)) return patch;
  const merged = new Map(isJsonObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key) ?? null, value));
  }
  return Object.fromEntries(merged);
}
