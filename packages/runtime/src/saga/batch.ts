import { createHash } from "node:crypto";
import { canonicalJson, type JsonObject } from "../json.js";

/** A batch task as declared. This version validates and lists it; starting it answers `feature-unavailable`. */
export interface BatchDefinition {
  readonly type: "batch";
  readonly name: string;
  readonly version: string;
  /** The task as in the config file. */
  readonly task: JsonObject;
}

/** Its version is a fingerprint of name and task. Throws nothing: the generator has checked the task. */
export function batch(name: string, task: JsonObject): BatchDefinition {
  const version = createHash("sha256").update(canonicalJson({ name, task })).digest("hex").slice(0, 16);
  return Object.freeze({ type: "batch", name, version, task });
}
