/** Schemas that several routes share; times are ISO 8601 UTC with milliseconds. */
import Type from "typebox";

export const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 128 }) });
export const Timestamp = Type.String({ format: "date-time" });
export const OptionalTimestamp = Type.Union([Timestamp, Type.Null()]);
export const JsonObject = Type.Record(Type.String(), Type.Unknown());

export const ProblemDetails = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String({ description: "Stable; for programs." }),
  errors: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() }))),
  request_id: Type.Optional(Type.String()),
});

/** The answer of a call that has nothing to say. */
export const NoContent = Type.Null({ description: "Done." });

/** Query of every list. */
export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 })),
};

/** An object that takes no other keys. */
export function closed<const Properties extends Type.TProperties>(properties: Properties) {
  return Type.Object(properties, { additionalProperties: false });
}

export function page<Item extends Type.TSchema>(item: Item) {
  return Type.Object({ items: Type.Array(item), next_cursor: Type.Union([Type.String(), Type.Null()]) });
}

/** The `security` of a route for operators; callers.ts refuses everybody else by it. */
export const operatorOnly: readonly { readonly [scheme: string]: readonly string[] }[] = [{ operator: [] }];

export const isoTime = (ms: number): string => new Date(ms).toISOString();
/** The same for a time that may not have come. */
export const isoTimeOrNull = (ms: number | null): string | null => (ms === null ? null : isoTime(ms));
