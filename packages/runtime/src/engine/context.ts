import { isObject, type Json, type JsonObject } from "../json.js";
import type { ContextDelta, JournalRow } from "./records.js";

/**
 * The context as it can be known after a crash: the newest snapshot, and over it what steps changed in later rows.
 * What was written on the way after the snapshot is gone; the checkpoint strategy bounds how much that is.
 */
export function restoreContext(
  rows: readonly JournalRow[],
  snapshot: { readonly seq: number; readonly context: Json } | null,
): JsonObject {
  let context: JsonObject = isObject(snapshot?.context) ? snapshot.context : {};
  for (const row of rows) {
    if (snapshot !== null && row.seq <= snapshot.seq) continue;
    for (const record of row.records) {
      if (record.kind === "inherited") context = record.context;
      if (record.kind === "completed" && record.context !== undefined) context = applyDelta(context, record.context);
    }
  }
  return context;
}

export function applyDelta(context: JsonObject, delta: ContextDelta): JsonObject {
  const result: Record<string, Json> = { ...context, ...delta.set };
  for (const key of delta.unset ?? []) delete result[key];
  return result;
}

/** The delta that gives the named top-level keys their present values. Undefined for no keys. */
export function deltaOf(context: JsonObject, keys: ReadonlySet<string>): ContextDelta | undefined {
  if (keys.size === 0) return undefined;
  const set: Record<string, Json> = {};
  const unset: string[] = [];
  for (const key of keys) {
    const value = context[key];
    if (value === undefined) unset.push(key);
    else set[key] = value;
  }
  return { ...(Object.keys(set).length > 0 && { set }), ...(unset.length > 0 && { unset }) };
}
