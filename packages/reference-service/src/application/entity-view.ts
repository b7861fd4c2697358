import type { Identified } from "../domain/fields.js";

/**
 * An entity as it is shown to others, in answers and in events. `keys` are the names of its fields there, by property. Text
 * stands for what JSON's numbers cannot hold; decimals are text already.
 */
export function viewOf(keys: Readonly<Record<string, string>>): (entity: Identified) => object {
  return (entity) => {
    const values = entity as unknown as Readonly<Record<string, unknown>>;
    const shown = Object.entries(keys).map(([property, key]): [string, unknown] => {
      const value = values[property];
      return [key, typeof value === "bigint" ? value.toString() : value];
    });
    const { id, revision, createdAt, updatedAt } = entity;
    return { id, revision, ...Object.fromEntries(shown), created_at: createdAt, updated_at: updatedAt };
  };
}
