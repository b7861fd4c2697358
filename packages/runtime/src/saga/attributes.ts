import { RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import type { SagaDefinition } from "./definition.js";

type Attributes = Readonly<Record<string, string>>;

/**
 * What a run can be searched by: what its definition says, and over it what the caller does. Whether the store takes them is the
 * store's to say. Error: `input-invalid` when the definition's function throws.
 */
export function attributesOf(definition: SagaDefinition, input: Json, given?: Attributes): Attributes | null {
  if (definition.attributes === undefined) return given ?? null;
  try {
    return { ...definition.attributes(input), ...given };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `expected attributes of "${definition.name}" from its input, got an error: ${why}`;
    throw new RuntimeError("input-invalid", message, {}, { cause: error });
  }
}
