import { RuntimeError } from "../errors.js";
import { isObject, isStorableText, type Json, type JsonObject, toJson } from "../json.js";
import { MAX_DATA_BYTES } from "../store/session-data.js";
import type { Device, NewSignIn, SessionDelta } from "../store/session-store.js";
import type { Origin } from "./manager.js";

/** What a caller of the session manager may pass. Everything else is `input-invalid` before a store is asked. */

const MAX_SUBJECT_LENGTH = 256;
const MAX_PAGE = 200;
const DEFAULT_PAGE = 50;
const MAX_LEVEL = 9;
const MAX_METHODS = 10;
const METHOD = /^[a-z0-9_-]{1,32}$/;
const MAX_IP_LENGTH = 64;
const MAX_USER_AGENT_LENGTH = 512;
const MAX_LABEL_LENGTH = 128;

export function checkOptionalSubject(subject: string | undefined): string | null {
  return subject === undefined ? null : checkSubject(subject);
}

export function checkSubject(subject: string): string {
  const fits = typeof subject === "string" && subject.length >= 1 && subject.length <= MAX_SUBJECT_LENGTH;
  if (!fits) throw invalid("subject", `a text of 1 to ${MAX_SUBJECT_LENGTH} characters`, sizeOf(subject));
  toJson(subject, "subject");
  return subject;
}

/** The absolute lifetime of a new session: the configured one at most. */
export function checkLifetime(lifetimeMs: number | undefined, configuredMs: number): number {
  if (lifetimeMs === undefined) return configuredMs;
  if (Number.isSafeInteger(lifetimeMs) && lifetimeMs >= 1 && lifetimeMs <= configuredMs) return lifetimeMs;
  const expected = `whole milliseconds from 1 up to the configured lifetime of ${configuredMs}`;
  throw invalid("lifetimeMs", expected, String(lifetimeMs));
}

/** The idle time of a new session. It ends by the absolute lifetime anyway, so a longer one is a mistake. */
export function checkTtl(ttlMs: number | undefined, defaultMs: number, absoluteMs: number): number {
  if (ttlMs === undefined) return Math.min(defaultMs, absoluteMs);
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

export function checkSignIn(signIn: NewSignIn): NewSignIn {
  const { level, methods = [], at } = signIn;
  if (!(Number.isSafeInteger(level) && level >= 1 && level <= MAX_LEVEL))
    throw invalid("signIn.level", `a whole number from 1 to ${MAX_LEVEL}`, String(level));
  const areMethods = Array.isArray(methods) && methods.length <= MAX_METHODS && methods.every(isMethod);
  if (!areMethods) {
    const got = JSON.stringify(methods).slice(0, 80);
    throw invalid("signIn.methods", `at most ${MAX_METHODS} names of 1 to 32 characters of a-z, 0-9, _ and -`, got);
  }
  if (at !== undefined && !(Number.isSafeInteger(at) && at >= 0))
    throw invalid("signIn.at", "whole milliseconds since the epoch", String(at));
  return { level, methods: [...methods], ...(at !== undefined && { at }) };
}

/** A user agent is what a stranger sent, so a login never fails by it: it is cut and cleaned. */
export function checkDevice(device: Device | undefined): Device | null {
  if (device === undefined) return null;
  const { ip, userAgent, label } = device;
  return {
    ...(ip !== undefined && { ip: checkShort("device.ip", ip, MAX_IP_LENGTH) }),
    ...(userAgent !== undefined && { userAgent: cut(String(userAgent), MAX_USER_AGENT_LENGTH) }),
    ...(label !== undefined && { label: checkShort("device.label", label, MAX_LABEL_LENGTH) }),
  };
}

/** For events. Comes from requests, so that nothing in it is refused; no line break of it forges a line of a log. */
export function boundOrigin({ ip, userAgent }: Origin): Origin {
  return {
    ...(typeof ip === "string" && { ip: cut(ip, MAX_IP_LENGTH) }),
    ...(typeof userAgent === "string" && { userAgent: cut(userAgent, MAX_USER_AGENT_LENGTH) }),
  };
}

export function checkPatch(patch: Readonly<Record<string, Json>>): JsonObject {
  return checkFields(patch, "session patch");
}

/** Data as a whole, or fields of it. Error: `payload-too-large` as well. */
export function checkFields(fields: unknown, what = "session data"): JsonObject {
  const json = toJson(fields, what, MAX_DATA_BYTES.login);
  if (isObject(json)) return json;
  throw invalid(what, "a JSON object", Array.isArray(json) ? "an array" : JSON.stringify(json).slice(0, 40));
}

export function checkDelta({ set = {}, unset = [] }: SessionDelta): Required<SessionDelta> {
  // No more names than the data can have, so the bound on data is one on them.
  const names = toJson(unset, "session delta", MAX_DATA_BYTES.login);
  const areNames = Array.isArray(names) && names.every((name) => typeof name === "string");
  if (!areNames) throw invalid("unset of a session delta", "a list of names", JSON.stringify(names).slice(0, 40));
  return { set: checkFields(set, "session delta"), unset: names as string[] };
}

function isMethod(method: unknown): boolean {
  return typeof method === "string" && METHOD.test(method);
}

function checkShort(what: string, text: string, maxLength: number): string {
  if (typeof text === "string" && text.length <= maxLength && isStorableText(text)) return text;
  throw invalid(what, `a well-formed text of at most ${maxLength} characters`, sizeOf(text));
}

function cut(text: string, maxLength: number): string {
  return text
    .slice(0, maxLength)
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, " ");
}

function sizeOf(text: unknown): string {
  return typeof text === "string" ? `${text.length} characters` : typeof text;
}

function invalid(what: string, expected: string, got: string): RuntimeError {
  return new RuntimeError("input-invalid", `expected ${what} to be ${expected}, got ${got}`, { what });
}
