/**
 * The fields of an entity, as data: what the checks, the tables and the documents are made from. A value is null when
 * it is not set; a `required` one never is.
 */
import type { Json } from "./json.js";

export type FieldType =
  | "string"
  | "text"
  | "integer"
  | "bigint"
  | "decimal"
  | "boolean"
  | "uuid"
  | "date"
  | "timestamp"
  | "json"
  | "enum"
  | "reference";

export interface Field {
  readonly type: FieldType;
  readonly required: boolean;
  /** Taken when a new entity says nothing of the field. */
  readonly default?: Json;
  /** Bounds, both included. integer: a number; bigint and decimal: digits. */
  readonly min?: number | string;
  readonly max?: number | string;
  /** In Unicode characters. */
  readonly minLength?: number;
  readonly maxLength?: number;
  /** A regular expression (flag u) that matches anywhere unless anchored; text over 1000 characters is refused untried. */
  readonly pattern?: string;
  /** The values of an enum. */
  readonly values?: readonly string[];
}

export type Fields<Values> = { readonly [Name in keyof Values]: Field };

/** What every entity has beside its fields. */
export interface Identified {
  /** A UUIDv7: sorts by creation. */
  readonly id: string;
  /** 1 at first, one more with every change. */
  readonly revision: number;
  /** ISO 8601, UTC, milliseconds. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** One value that does not fit: the field's name (`pageCount`, "" for the whole) and what was expected. */
export interface Violation {
  readonly path: string;
  readonly message: string;
}

/** Values that fit, or everything that does not. */
export type Checked<Values> =
  | { readonly values: Values; readonly violations?: undefined }
  | { readonly violations: readonly Violation[]; readonly values?: undefined };
