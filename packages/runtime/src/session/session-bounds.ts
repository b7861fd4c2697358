import { RuntimeError } from "../errors.js";
import { isObject, type Json, type JsonObject, toJson } from "../json.js";
import { MAX_DATA_BYTES } from "../store/session-data.js";

/** What a caller of the session manager may pass. Everything else is `input-invalid` before a store is asked. */

const MAX_SUBJECT_LENGTH = 256;
const MAX_PAGE = 200;
const DEFAULT_PAGE = 50;

export function checkSubject(subject: string | undefined): string | null {
  if (subject === undefined) return null;
  const fits = typeof subject === "string" && subject.length >= 1 && subject.length <= MAX_SUBJECT_LENGTH;
  if (!fits)
    throw invalid(
      "subject",
      `a text of 1 to ${MAX_SUBJECT_LENGTH} characters`,
      typeof subject === "string" ? `${subject.length} characters` : typeof subject,
    );
  toJson(subject, "subject");
  return subject;
}

/** The idle time of a new session. It ends by the absolute lifetime anyway, so a longer one is a mistake. */
export function checkTtl(ttlMs: number | undefined, defaultMs: number, absoluteMs: number): number {
  if (ttlMs === undefined) return defaultMs;
  if (Number.isSafeInteger(ttlMs) && ttlMs >= 1 && ttlMs <= absoluteMs) return ttlMs;
  throw invalid("ttlMs", `whole milliseconds from 1 up to the absolute lifetime of ${absoluteMs}`, String(ttlMs));
}

export function checkGrace(graceMs: number): number {
  if (Number.isSafeInteger(graceMs) && graceMs >= 0) return graceMs;
  throw invalid("graceMs", "whole milliseconds of 0 or more", String(graceMs));
}

export function checkLimit(limit: number | undefined): number {
  if (limit === undefined) return DEFAULT_PAGE;
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= MAX_PAGE) return limit;
  throw invalid("limit", `a whole number from 1 to ${MAX_PAGE}`, String(limit));
}

export function checkPatch(patch: Readonly<Record<string, Json>>): JsonObject {
  const json = toJson(patch, "session patch", MAX_DATA_BYTES.login);
  if (isObject(json)) return json;
  throw invalid("session patch", "a JSON object", Array.isArray(json) ? "an array" : JSON.stringify(json).slice(0, 40));
}

function invalid(what: string, expected: string, got: string): RuntimeError {
  return new RuntimeError("input-invalid", `expected ${what} to be ${expected}, got ${got}`, { what });
}
