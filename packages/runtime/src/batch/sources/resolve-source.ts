import { RuntimeError } from "../../errors.js";
import type { JsonObject } from "../../json.js";
import type { Participant } from "../../participants/participant.js";
import type { SourceChoice } from "../../saga/definition.js";
import type { ItemSource, SourceScope } from "../item-source.js";
import { csvSource, linesSource } from "./file.js";
import { listSource } from "./list.js";
import { pagedSource } from "./pages.js";

/** Reads the records of an entity that have all these values, in the order of a key that grows. */
export type EntitySource = (where: JsonObject) => ItemSource;

export interface SourceSurroundings {
  readonly participants: Readonly<Record<string, Participant>>;
  /** By the names of entities. */
  readonly entities: Readonly<Record<string, EntitySource>>;
}

/** What reads the source. Error: `definition-invalid` (an entity or a service that is not known here). */
export function resolveSource(choice: SourceChoice, around: SourceSurroundings, scope: SourceScope): ItemSource {
  if ("read" in choice) return choice;
  if ("items" in choice) return listSource(choice.items, choice.key);
  if ("file" in choice)
    return choice.format === "csv" ? csvSource(choice.file, choice.key) : linesSource(choice.file);
  if ("entity" in choice) return named(around.entities, choice.entity, "entity in `sources`")(choice.where ?? {});
  const { service, endpoint, method, key = "id" } = choice;
  const participant = named(around.participants, service, "service in `participants`");
  return pagedSource({ participant, call: { service, endpoint, ...(method !== undefined && { method }) }, key, scope });
}

function named<Value>(values: Readonly<Record<string, Value>>, name: string, what: string): Value {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (value !== undefined) return value;
  const known = Object.keys(values).join(", ") || "none";
  throw new RuntimeError("definition-invalid", `expected an ${what} named ${JSON.stringify(name)}, got only: ${known}`);
}
