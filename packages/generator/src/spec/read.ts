/**
 * A config file from bytes to a checked `Config`: load, validate, check, availability, in that order, with everything
 * that is wrong reported at once in the order of the file.
 */
import { type Diagnostic, hasErrors, inFileOrder, RefusedError, strict } from "../diagnostics.js";
import { checkAvailability } from "./availability.js";
import { check } from "./check.js";
import { loadConfig } from "./load.js";
import { publishedSchema } from "./published.js";
import type { Config } from "./schema.js";
import { validate } from "./validate.js";

export interface ReadConfig {
  readonly config: Config;
  /** The file as text. */
  readonly text: string;
  readonly warnings: readonly Diagnostic[];
}

/** @throws RefusedError with all diagnostics when one is an error. `strict` makes errors of warnings. */
export function readConfig(bytes: Uint8Array, file: string, options: { strict?: boolean } = {}): ReadConfig {
  const root = loadConfig(bytes, file);
  const { value, diagnostics } = validate(root, publishedSchema().schema, file);
  const found = inFileOrder([...diagnostics, ...check(value, root, file), ...checkAvailability(root, file)]);
  const all = options.strict === true ? strict(found) : found;
  if (hasErrors(all)) throw new RefusedError(all);
  return { config: value as Config, text: new TextDecoder().decode(bytes), warnings: all };
}
