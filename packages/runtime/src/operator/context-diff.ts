import { isObject, type Json } from "../json.js";
import type { CheckpointDiff } from "./views.js";

/** What a diff shows at most. */
const MAX_CHANGES = 1_000;

/** How `to` differs from `from`, by JSON pointers (RFC 6901), in the order of their keys. An item of a list is known by its place. */
export function diffOf(from: Json, to: Json): Pick<CheckpointDiff, "added" | "changed" | "removed" | "isWhole"> {
  const diff = { added: [] as Added[], changed: [] as Changed[], removed: [] as Added[] };
  const isFull = (): boolean => diff.added.length + diff.changed.length + diff.removed.length >= MAX_CHANGES;
  let isWhole = true;
  const walk = (pointer: string, before: Json | undefined, after: Json | undefined): void => {
    if (isFull()) isWhole &&= same(before, after);
    else if (before === undefined) {
      if (after !== undefined) diff.added.push({ pointer, value: after });
    } else if (after === undefined) diff.removed.push({ pointer, value: before });
    else if (isObject(before) && isObject(after)) {
      const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
      for (const key of keys) walk(`${pointer}/${escaped(key)}`, before[key], after[key]);
    } else if (Array.isArray(before) && Array.isArray(after)) {
      for (let index = 0; index < Math.max(before.length, after.length); index++)
        walk(`${pointer}/${index}`, before[index], after[index]);
    } else if (!same(before, after)) diff.changed.push({ pointer, from: before, to: after });
  };
  walk("", from, to);
  return { ...diff, isWhole };
}

type Added = CheckpointDiff["added"][number];
type Changed = CheckpointDiff["changed"][number];

function same(one: Json | undefined, other: Json | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function escaped(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
