/** One value between the entity and its column. SQLite has no boolean, no JSON and no exact decimal of its own. */
import type { FieldType } from "../../../domain/fields.js";

export function toColumn(type: FieldType, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (type === "boolean") return value === true ? 1 : 0;
  return type === "json" ? JSON.stringify(value) : value;
}

export function fromColumn(type: FieldType, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (type === "boolean") return Number(value) === 1;
  if (type === "bigint") return BigInt(value as number | bigint | string);
  return type === "json" ? JSON.parse(String(value)) : value;
}
