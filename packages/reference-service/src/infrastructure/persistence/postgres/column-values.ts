/** One value between the entity and its column, both exact: what the driver reads into a double or a local time is text. */
import type { FieldType } from "../../../domain/fields.js";

export function toColumn(type: FieldType, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  // The driver would take a list for an array of PostgreSQL, and a string for JSON that is written already.
  return type === "json" ? JSON.stringify(value) : value;
}

export function fromColumn(type: FieldType, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (type === "integer") return Number(value);
  if (type === "bigint") return BigInt(value as string);
  // `2026-01-31 09:30:00+00`: connections speak ISO, in UTC.
  return type === "timestamp" ? new Date(`${value}`.replace(" ", "T").replace("+00", "Z")).toISOString() : value;
}
