/**
 * Checks what a stranger sent against an entity's fields and reports everything that does not fit at once. The result
 * has every field, in the fields' order and in the form it is kept in, and nothing else.
 */
import type { Checked, Field, Fields, Violation } from "./fields.js";
import { isJson, mergePatch } from "./json.js";
import { Expected, readValue } from "./values.js";

/** The values of a new entity: a missing field takes its default, null means "not set". */
export function checkNew<Values>(fields: Fields<Values>, input: unknown): Checked<Values> {
  return check(fields, input, (field, sent) => (sent === undefined ? (field.default ?? null) : sent));
}

/** The values after a merge patch (RFC 7396): a missing field stays, null clears, JSON merges, all else replaces. */
export function checkPatch<Values>(fields: Fields<Values>, current: Values, patch: unknown): Checked<Values> {
  return check(fields, patch, (field, sent, name) => {
    const kept = current[name];
    if (sent === undefined) return kept;
    // The patch is looked at before it is merged: merging recurses as deep as it nests.
    return field.type === "json" && isJson(sent) && isJson(kept) ? mergePatch(kept, sent) : sent;
  });
}

function check<Values>(
  fields: Fields<Values>,
  input: unknown,
  choose: (field: Field, sent: unknown, name: keyof Values) => unknown,
): Checked<Values> {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return { violations: [{ path: "", message: "expected an object" }] };
  }
  const sent = input as Readonly<Record<string, unknown>>;
  const violations: Violation[] = Object.keys(sent)
    .filter((name) => !Object.hasOwn(fields, name))
    .map((name) => ({ path: name, message: "expected no such field" }));
  const values: [string, unknown][] = [];
  for (const [name, field] of Object.entries<Field>(fields)) {
    const given = Object.hasOwn(sent, name) ? sent[name] : undefined;
    const value = readOrNull(field, choose(field, given, name as keyof Values));
    if (value instanceof Expected) violations.push({ path: name, message: value.message });
    else values.push([name, value]);
  }
  if (violations.length > 0) return { violations };
  return { values: Object.fromEntries(values) as Values };
}

function readOrNull(field: Field, value: unknown): unknown {
  if (value !== null) return readValue(field, value);
  return field.required ? new Expected("a value") : null;
}
