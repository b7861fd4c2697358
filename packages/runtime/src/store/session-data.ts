import { RuntimeError } from "../errors.js";
import { isObject, type Json, type JsonObject, toJson } from "../json.js";
import type { SessionDelta, SessionKind } from "./session-store.js";

/**
 * What every session store does with data. At rest it is one JSON text of an object; a delta replaces and removes
 * top-level fields of it and leaves the others as they are. The bound is on the text that results, so it holds for
 * writers that know nothing of each other. Pure.
 */

/** Bytes of JSON text. A context carries what all the steps of a run share, a login session what one user does. */
export const MAX_DATA_BYTES: Readonly<Record<SessionKind, number>> = { login: 65_536, context: 1_114_112 };

/** Throws `input-invalid` for what is not a JSON object or holds forbidden keys, `payload-too-large` beyond the bound. */
export function encodeData(kind: SessionKind, data: unknown): string {
  return JSON.stringify(checkFields(kind, data));
}

/** A top-level key and its value, both as JSON texts. */
export type EncodedField = readonly [key: string, value: string];

/** For stores that put fields together themselves. Throws as `encodeData` does. */
export function encodeFields(kind: SessionKind, data: unknown): EncodedField[] {
  return Object.entries(checkFields(kind, data)).map(([key, value]) => [JSON.stringify(key), JSON.stringify(value)]);
}

export function tooLarge(kind: SessionKind, bytes: number): RuntimeError {
  return new RuntimeError(
    "payload-too-large",
    `expected session data of at most ${MAX_DATA_BYTES[kind]} bytes after the update, got ${bytes}; remove fields or keep large values elsewhere`,
    { maxBytes: MAX_DATA_BYTES[kind], bytes },
  );
}

export function decodeData(text: string): JsonObject {
  return JSON.parse(text) as JsonObject;
}

/** The text after the delta. Throws as `encodeData` does; a field to unset that is not there is no error. */
export function applyDelta(kind: SessionKind, text: string, delta: SessionDelta): string {
  const unset = new Set(delta.unset);
  const kept = Object.entries(decodeData(text)).filter(([key]) => !unset.has(key));
  const result = JSON.stringify({ ...Object.fromEntries(kept), ...checkFields(kind, delta.set ?? {}) });
  const bytes = Buffer.byteLength(result);
  if (bytes > MAX_DATA_BYTES[kind]) throw tooLarge(kind, bytes);
  return result;
}

function checkFields(kind: SessionKind, fields: unknown): JsonObject {
  const json: Json = toJson(fields, "session data", MAX_DATA_BYTES[kind]);
  if (isObject(json)) return json;
  const got = Array.isArray(json) ? "an array" : JSON.stringify(json).slice(0, 40);
  throw new RuntimeError("input-invalid", `expected session data to be a JSON object, got ${got}`, {
    what: "session data",
  });
}
