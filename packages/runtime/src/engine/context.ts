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
      if (record.kind === "inherited" || record.kind === "entered" || record.kind === "context-restored")
        context = record.context;
      if (record.kind === "completed" && record.context !== undefined) context = applyDelta(context, record.context);
    }
  }
  return context;
}

/**
 * False when the journal shows that no step has used the context: none has changed it with its result, none has written on
 * the way what a snapshot took, and none that was begun could have written what nothing durable tells of. Attempts that were
 * cut off, that failed, or that compensate may have.
 */
export function mayHaveUsedContext(rows: readonly JournalRow[], snapshot: object | null): boolean {
  if (snapshot !== null) return true;
  const untold = new Set<string>();
  let undoes = false;
  for (const record of rows.flatMap((row) => row.records)) {
    if ((record.kind === "inherited" || record.kind === "entered") && Object.keys(record.context).length > 0)
      return true;
    if (record.kind === "completed" && record.context !== undefined) return true;
    if (record.kind === "context-restored") return true;
    if (record.kind === "dispatched" && record.direction === "forward") untold.add(record.step);
    else if (record.kind === "dispatched") undoes = true;
    // A step that waits for a child has no handler, and a result says all that its handlers changed.
    else if (record.kind === "completed" || record.kind === "suspended") untold.delete(record.step);
  }
  return undoes || untold.size > 0;
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
