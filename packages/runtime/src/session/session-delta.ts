import { canonicalJson, isObject, type JsonObject, mergePatch } from "../json.js";
import type { SessionDelta } from "../store/session-store.js";

/**
 * A change of data as the smallest delta of top-level fields. Of a merge patch, only an object in the patch needs the present value of its
 * field; everything else replaces or removes without a look, so it cannot conflict with another writer. Pure.
 */

export function needsPresentData(patch: JsonObject): boolean {
  return Object.values(patch).some(isObject);
}

/** Without `present`, for a patch that does not need it. With it, fields that would not change are left out. */
export function patchToDelta(patch: JsonObject, present?: JsonObject): Required<SessionDelta> {
  const entries = Object.entries(patch);
  const has = (key: string): boolean => !present || Object.hasOwn(present, key);
  const unset = entries.filter(([key, value]) => value === null && has(key)).map(([key]) => key);
  const set = entries
    .filter(([, value]) => value !== null)
    .map(
      ([key, value]) =>
        [key, mergePatch(present && Object.hasOwn(present, key) ? (present[key] ?? null) : null, value)] as const,
    )
    .filter(([key, value]) => !present || !has(key) || canonicalJson(value) !== canonicalJson(present[key] ?? null));
  return { set: Object.fromEntries(set), unset };
}

export function isEmptyDelta(delta: Required<SessionDelta>): boolean {
  return delta.unset.length === 0 && Object.keys(delta.set).length === 0;
}

/** What makes `present` into `data`. */
export function dataToDelta(data: JsonObject, present: JsonObject): Required<SessionDelta> {
  const isSame = (key: string): boolean =>
    Object.hasOwn(present, key) && canonicalJson(data[key] ?? null) === canonicalJson(present[key] ?? null);
  return {
    set: Object.fromEntries(Object.entries(data).filter(([key]) => !isSame(key))),
    unset: Object.keys(present).filter((key) => !Object.hasOwn(data, key)),
  };
}
