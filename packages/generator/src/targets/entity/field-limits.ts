import type { EntityModel, FieldModel } from "../../model.js";

/** PostgreSQL refuses index entries over 2704 bytes; so many characters of four bytes are below it. */
const MAX_INDEXED_LENGTH = 512;

/** The config's `max_length`, or what an index can hold; null: unbounded. */
export function maxLengthOf(entity: EntityModel, field: FieldModel): number | null {
  if (field.maxLength !== null || (field.type !== "string" && field.type !== "text")) return field.maxLength;
  const indexed = field.unique || entity.indexes.some(({ fields }) => fields.includes(field.name.snake));
  return indexed ? MAX_INDEXED_LENGTH : null;
}
