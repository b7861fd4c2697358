/** An entity's fields as JSON Schema, for the OpenAPI document. */
import { type TSchema, Type } from "typebox";
import type { Field } from "../../application/entity.js";

interface EntitySchemas {
  readonly entity: TSchema;
  readonly create: TSchema;
  readonly patch: TSchema;
}

export function entitySchemas(
  keys: Readonly<Record<string, string>>,
  fields: Readonly<Record<string, Field>>,
): EntitySchemas {
  const shown: Record<string, TSchema> = { id: ID, revision: Type.Integer({ minimum: 1 }) };
  const create: Record<string, TSchema> = {};
  const patch: Record<string, TSchema> = {};
  for (const [property, field] of Object.entries(fields)) {
    const key = keys[property] ?? property;
    const taken = nullable(field, taking(field));
    shown[key] = nullable(field, giving(field));
    create[key] = field.required && field.default === undefined ? taken : Type.Optional(withDefault(field, taken));
    patch[key] = Type.Optional(taken);
  }
  Object.assign(shown, { created_at: TIMESTAMP, updated_at: TIMESTAMP });
  return {
    entity: Type.Object(shown),
    create: Type.Object(create, { additionalProperties: false }),
    patch: Type.Object(patch, { additionalProperties: false }),
  };
}

export function pageSchema(item: TSchema): TSchema {
  return Type.Object({ items: Type.Array(item), next_cursor: Type.Union([Type.String(), Type.Null()]) });
}

const ID = Type.String({ format: "uuid" });
const TIMESTAMP = Type.String({ format: "date-time" });
const DIGITS = "^[+-]?[0-9]+$";
const DECIMAL = "^[+-]?[0-9]+(\\.[0-9]+)?$";

const nullable = (field: Field, schema: TSchema): TSchema =>
  field.required || field.type === "json" ? schema : Type.Union([schema, Type.Null()]);

const withDefault = (field: Field, schema: TSchema): TSchema =>
  field.default === undefined ? schema : ({ ...schema, default: field.default } as TSchema);

/** As answers have it. */
function giving(field: Field): TSchema {
  if (field.type === "bigint") return Type.String({ pattern: DIGITS, ...bounds(field) });
  if (field.type === "decimal") return Type.String({ pattern: DECIMAL, ...bounds(field) });
  return common(field);
}

/** As bodies may have it. */
function taking(field: Field): TSchema {
  if (field.type === "bigint") return Type.Union([Type.String({ pattern: DIGITS }), Type.Integer()], bounds(field));
  if (field.type === "decimal") return Type.Union([Type.String({ pattern: DECIMAL }), Type.Number()], bounds(field));
  return common(field);
}

/** JSON Schema has no bounds for digits in text: they are told in words. */
function bounds({ min, max }: Field): { description?: string } {
  const words = [min === undefined ? [] : [`at least ${min}`], max === undefined ? [] : [`at most ${max}`]].flat();
  return words.length === 0 ? {} : { description: `Exact; ${words.join(", ")}.` };
}

function common(field: Field): TSchema {
  const { min, max, minLength, maxLength, pattern, values } = field;
  switch (field.type) {
    case "integer":
      return Type.Integer({ ...given("minimum", min), ...given("maximum", max) });
    case "boolean":
      return Type.Boolean();
    case "uuid":
    case "reference":
      return ID;
    case "date":
      return Type.String({ format: "date" });
    case "timestamp":
      return TIMESTAMP;
    case "json":
      return Type.Unknown();
    case "enum":
      return Type.Unsafe<string>({ type: "string", enum: values ?? [] });
    default:
      return Type.String({
        ...given("minLength", minLength),
        ...given("maxLength", maxLength),
        ...given("pattern", pattern),
      });
  }
}

const given = (key: string, value: unknown): object => (value === undefined ? {} : { [key]: value });
