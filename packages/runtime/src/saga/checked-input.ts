import { hash } from "node:crypto";
import { RuntimeError } from "../errors.js";
import { canonicalJson, isObject, type Json, toJson } from "../json.js";
import type { SagaDefinition } from "./definition.js";

/** The input as a run keeps it. Errors: `input-invalid` (no JSON object, or the definition refuses it), `payload-too-large`. */
export function checkedInput(definition: Pick<SagaDefinition, "name" | "checkInput">, value: Json): Json {
  const input = toJson(value, "input");
  if (!isObject(input))
    throw new RuntimeError(
      "input-invalid",
      `expected the input of "${definition.name}" to be a JSON object, got ${JSON.stringify(input).slice(0, 60)}`,
    );
  try {
    definition.checkInput?.(input);
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new RuntimeError(
      "input-invalid",
      `the input of "${definition.name}" is refused: ${message}`,
      {},
      { cause: error },
    );
  }
  return input;
}

/** Equal inputs, equal hash: by it a key that is used again is recognized. */
export function hashOfInput(input: Json): string {
  return hash("sha256", canonicalJson(input), "hex");
}
