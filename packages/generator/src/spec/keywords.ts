/**
 * The vocabulary the config's schema is written in. Each word yields three things at once: the JSON Schema of what is
 * written in the file, the description of the key, and the static type of the normalized value (a duration is written
 * `"30s"` and typed as its milliseconds; a key with a default is always there).
 */
import Type, { type Static, type TObject, type TOptional, type TProperties, type TUnsafe } from "typebox";

import type { JsonValue } from "../model.js";
import { IDENTIFIER_MAX_LENGTH, IDENTIFIER_PATTERN } from "../naming.js";

/** The part of JSON Schema the vocabulary produces; what validate.ts understands. */
export interface Schema {
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  /** `duration`, `delay` and `size` mark the normalized kinds. */
  readonly title?: string;
  readonly description?: string;
  readonly default?: JsonValue;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false | Schema;
  readonly propertyNames?: Schema;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly anyOf?: readonly Schema[];
}

const DURATION_PATTERN = "^(?=[0-9]*[1-9])[0-9]{1,12}(ms|s|m|h)$";
const SIZE_PATTERN = "^(?=[0-9]*[1-9])[0-9]{1,12}(B|KiB|MiB|GiB)$";

const written = <T>(schema: Schema): TUnsafe<T> => Type.Unsafe<T>(schema);

/** A mapping with these keys and no others. */
export function block<P extends TProperties>(
  description: string,
  properties: P,
  rest: Schema = {},
): TUnsafe<Static<TObject<P>>> {
  const required = Object.entries(properties)
    .filter(([, schema]) => !Type.IsOptional(schema) && !("default" in schema))
    .map(([key]) => key);
  return written<Static<TObject<P>>>({
    type: "object",
    description,
    properties: properties as Record<string, Schema>,
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
    ...rest,
  });
}

/** A block that is its keys' defaults when it is not written. */
export const section = <P extends TProperties>(description: string, properties: P): TUnsafe<Static<TObject<P>>> =>
  block(description, properties, { default: {} });

/** A mapping from names of the user's choice. */
export const named = <T>(description: string, value: TUnsafe<T>, rest: Schema = {}): TUnsafe<Record<string, T>> =>
  written<Record<string, T>>({
    type: "object",
    description,
    propertyNames: { pattern: IDENTIFIER_PATTERN, maxLength: IDENTIFIER_MAX_LENGTH },
    additionalProperties: value as Schema,
    maxProperties: 200,
    ...rest,
  });

export const list = <T>(description: string, items: TUnsafe<T>, rest: Schema = {}): TUnsafe<T[]> =>
  written<T[]>({ type: "array", description, items: items as Schema, maxItems: 500, ...rest });

export const text = (description: string, rest: Schema = {}): TUnsafe<string> =>
  written<string>({ type: "string", description, maxLength: 2000, ...rest });

/** The name of an entity, field, service, task or stage. */
export const identifier = (description: string): TUnsafe<string> =>
  text(description, { pattern: IDENTIFIER_PATTERN, minLength: 1, maxLength: IDENTIFIER_MAX_LENGTH });

export const choice = <const V extends readonly string[]>(description: string, values: V, fallback?: V[number]) =>
  written<V[number]>({
    type: "string",
    description,
    enum: values,
    ...(fallback === undefined ? {} : { default: fallback }),
  });

export const flag = (description: string, fallback?: boolean): TUnsafe<boolean> =>
  written<boolean>({ type: "boolean", description, ...(fallback === undefined ? {} : { default: fallback }) });

export const integer = (description: string, minimum: number, maximum: number, fallback?: number): TUnsafe<number> =>
  written<number>({
    type: "integer",
    description,
    minimum,
    maximum,
    ...(fallback === undefined ? {} : { default: fallback }),
  });

/** A part of a whole. */
export const ratio = (description: string): TUnsafe<number> =>
  written<number>({ type: "number", description, minimum: 0, maximum: 1 });

/** More than zero: whole seconds, or a number with `ms`, `s`, `m` or `h`; normalized to milliseconds. At most a year. */
export const duration = (description: string, fallback?: number | string): TUnsafe<number> =>
  written<number>({
    title: "duration",
    description,
    anyOf: [
      { type: "integer", minimum: 1, maximum: 31_536_000 },
      { type: "string", pattern: DURATION_PATTERN },
    ],
    ...(fallback === undefined ? {} : { default: fallback }),
  });

const EXPRESSION_PATTERN = "^\\s*\\$\\{[\\s\\S]*\\}\\s*$";

/** A duration, or `${ expression }` that gives one; normalized to milliseconds, or the text as it is. */
export const delay = (description: string): TUnsafe<number | string> =>
  written<number | string>({
    title: "delay",
    description,
    anyOf: [
      { type: "integer", minimum: 1, maximum: 31_536_000 },
      { type: "string", pattern: DURATION_PATTERN },
      { type: "string", pattern: EXPRESSION_PATTERN },
    ],
  });

/** Bytes, or a number with `B`, `KiB`, `MiB` or `GiB`; normalized to bytes. At most 1 GiB. */
export const size = (description: string, fallback: number | string): TUnsafe<number> =>
  written<number>({
    title: "size",
    description,
    anyOf: [
      { type: "integer", minimum: 1, maximum: 1_073_741_824 },
      { type: "string", pattern: SIZE_PATTERN },
    ],
    default: fallback,
  });

/** A number, or text that spells one (which keeps every digit of a decimal). */
export const numeric = (description: string): TUnsafe<number | string> =>
  written<number | string>({
    description,
    anyOf: [{ type: "number" }, { type: "string", pattern: "^-?[0-9]{1,40}(\\.[0-9]{1,40})?$" }],
  });

/** Any value YAML and JSON share. */
export const json = (description: string): TUnsafe<JsonValue> => written<JsonValue>({ description });

export const optional = <T>(schema: TUnsafe<T>): TOptional<TUnsafe<T>> =>
  Type.Optional(schema) as TOptional<TUnsafe<T>>;
