/** How an entity lies in its table, as data. */
import type { FieldType } from "../../domain/fields.js";

/** Tables by name, columns by name. A service with queries of its own gives its tables a type of their own. */
export type Tables = Record<string, Record<string, unknown>>;

export interface Table {
  readonly name: string;
  /** By property of the entity; `id`, `revision` and the times are not among them, every table has them. */
  readonly columns: Readonly<Record<string, Column>>;
  /** Unique indexes by name: the properties that are unique together. */
  readonly uniques: Readonly<Record<string, readonly string[]>>;
}

export interface Column {
  readonly name: string;
  readonly type: FieldType;
  /** The table that a reference points to. */
  readonly references?: string;
}

/** The columns that every table has. */
export const IMPLICIT_COLUMNS: Readonly<Record<string, Column>> = {
  id: { name: "id", type: "uuid" },
  revision: { name: "revision", type: "integer" },
  createdAt: { name: "created_at", type: "timestamp" },
  updatedAt: { name: "updated_at", type: "timestamp" },
};
