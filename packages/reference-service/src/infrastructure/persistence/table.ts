/** How an entity lies in its table, as data, and what happens to its rows. */
import type { CompiledQuery, Kysely } from "kysely";
import type { FieldType, Identified } from "../../domain/fields.js";

/** Tables by name, columns by name. A service with queries of its own gives its tables a type of their own. */
export type Tables = Record<string, Record<string, unknown>>;

/** Statements, and who is told what they change. */
export type Queries = Kysely<Tables> & { readonly teller?: Teller };

export interface Teller {
  /** Runs a statement and tells of the change in one transaction. How many rows it changed: if none, there is nothing to tell. */
  write(statement: CompiledQuery, table: string, change: Change): Promise<number>;
}

export type Change =
  | { readonly kind: "created"; readonly entity: Identified }
  /** `former`: the revision that it had. */
  | { readonly kind: "updated"; readonly entity: Identified; readonly former: number }
  | { readonly kind: "deleted"; readonly id: string };

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
const IMPLICIT_COLUMNS: Readonly<Record<string, Column>> = {
  id: { name: "id", type: "uuid" },
  revision: { name: "revision", type: "integer" },
  createdAt: { name: "created_at", type: "timestamp" },
  updatedAt: { name: "updated_at", type: "timestamp" },
};

/** All columns of a table, by property of the entity. */
export const columnsOf = (table: Table): readonly (readonly [property: string, column: Column])[] => [
  ...Object.entries(IMPLICIT_COLUMNS),
  ...Object.entries(table.columns),
];
