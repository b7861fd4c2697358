/**
 * Requests are checked against the routes' TypeBox schemas, the same ones the OpenAPI document shows. Parameters arrive
 * as text and are converted; bodies are taken as they are: a string is never silently made a number.
 */
import type { FastifyInstance, FastifySchemaCompiler } from "fastify";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { Value } from "typebox/value";
import type { Violation } from "../../application/errors.js";
import { Problem } from "./problem.js";

const MAX_VIOLATIONS = 20;

export function validateRequests(app: FastifyInstance): void {
  app.setValidatorCompiler(compile);
  // Answers are what the presenters made; their schemas are documentation.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
}

const compile: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema);
  return (received: unknown) => {
    const value = httpPart === "body" ? bodyOf(received) : Value.Convert(schema, received);
    if (validator.Check(value)) return { value };
    const errors = validator
      .Errors(value)
      .filter((error) => error.keyword !== "additionalProperties")
      .slice(0, MAX_VIOLATIONS)
      .map(violationOf);
    return {
      error: new Problem(422, "validation-failed", `The request's ${httpPart ?? "input"} does not fit.`, { errors }),
    };
  };
};

/** No body says as much as an empty object: every body here has optional keys only. (A body `null` is refused before.) */
const bodyOf = (received: unknown): unknown => received ?? {};

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

function violationOf(error: SchemaError): Violation {
  const path = error.instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .join(".")
    .slice(0, 200);
  // Of an unknown key the validator says that its schema is false.
  if (error.keyword === "boolean") return { path, message: "unknown key" };
  const { requiredProperties, allowedValues } = error.params as {
    requiredProperties?: readonly string[];
    allowedValues?: readonly unknown[];
  };
  if (requiredProperties !== undefined) return { path, message: `expected ${requiredProperties.join(", ")}` };
  if (allowedValues !== undefined) return { path, message: `expected one of ${allowedValues.join(", ")}` };
  return { path, message: error.message };
}
