import { RuntimeError } from "../../errors.js";
import { isObject, type Json } from "../../json.js";

/** The item's key: what its field says, else `otherwise`. Error: `input-invalid` (no text and no number in that field). */
export function keyOf(item: Json, field: string | undefined, otherwise: string): string {
  if (field === undefined) return otherwise;
  const value = isObject(item) && Object.hasOwn(item, field) ? item[field] : undefined;
  if (typeof value === "string" || typeof value === "number") return String(value);
  const got = value === undefined ? "none" : JSON.stringify(value).slice(0, 60);
  throw new RuntimeError(
    "input-invalid",
    `expected a text or a number in "${field}" of each item, as its key, got ${got} in ${JSON.stringify(item).slice(0, 100)}`,
  );
}
