/** What SQLite refuses with, from either driver. */
import type { Constraint } from "../constraint.js";

/** SQLite tells which constraint by its words only. Null when the error is something else. */
export function constraintOf(error: unknown): Constraint | null {
  const message = error instanceof Error ? error.message : "";
  if (message.includes("FOREIGN KEY constraint failed")) return { kind: "reference" };
  const unique = /UNIQUE constraint failed: (?:index '(.+)'|(.+))$/.exec(message);
  if (unique === null) return null;
  const [, index = null, columns = ""] = unique;
  return { kind: "unique", index, columns: columns.split(", ").map((column) => column.slice(column.indexOf(".") + 1)) };
}

/** Primary result codes that a later try may not meet: locked, read-only, interrupted, I/O, full, cannot open. */
const UNAVAILABLE = new Set([5, 6, 8, 9, 10, 13, 14, 15]);

/** True when the database could not be used just now, whatever was asked of it. */
export function isUnavailable(error: unknown): boolean {
  // node:sqlite: errcode; libsql: rawCode.
  const { errcode, rawCode } = error as { errcode?: number; rawCode?: number };
  return UNAVAILABLE.has((errcode ?? rawCode ?? 0) & 0xff);
}
