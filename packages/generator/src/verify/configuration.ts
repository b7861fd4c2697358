/** The configuration: clean-arch.yaml is valid and is what the project was written from; configs/app.yaml fits its schema. */
import { join } from "node:path";

import { hashOfConfig } from "../build-model.js";
import { type Diagnostic, RefusedError } from "../diagnostics.js";
import { SETTINGS_BLOCKS } from "../settings.js";
import { checkSettings } from "../spec/check.js";
import { loadConfig } from "../spec/load.js";
import { publishedSchema } from "../spec/published.js";
import { readConfig } from "../spec/read.js";
import type { Config } from "../spec/schema.js";
import { validate } from "../spec/validate.js";
import type { Project } from "./project.js";

const CONFIG_PATH = "clean-arch.yaml";
const SETTINGS_PATH = "configs/app.yaml";

export interface Configuration {
  /** Null: the config is missing or wrong, which has been reported. */
  readonly config: Config | null;
  readonly diagnostics: readonly Diagnostic[];
}

export function checkConfiguration({ read, report, lock }: Project, shownAs: string): Configuration {
  const diagnostics: Diagnostic[] = [];
  const settings = read(SETTINGS_PATH);
  if (settings !== null) diagnostics.push(...settingsProblems(settings, join(shownAs, SETTINGS_PATH)));
  const bytes = read(CONFIG_PATH);
  if (bytes === null) return { config: null, diagnostics };
  try {
    const { config, warnings } = readConfig(bytes, join(shownAs, CONFIG_PATH));
    if (hashOfConfig(config) !== lock.config_hash) {
      const hint = `clean-arch-generator --config ${CONFIG_PATH} --out .`;
      const got = "another, which the project does not show yet";
      report({ code: "bad-wiring", path: CONFIG_PATH, expected: "the config the project was written from", got, hint });
    }
    return { config, diagnostics: [...diagnostics, ...warnings] };
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return { config: null, diagnostics: [...diagnostics, ...error.diagnostics] };
  }
}

function settingsProblems(bytes: Uint8Array, file: string): readonly Diagnostic[] {
  const { schema } = publishedSchema();
  const properties = Object.fromEntries(
    Object.entries(schema.properties ?? {}).filter(([key]) => (SETTINGS_BLOCKS as readonly string[]).includes(key)),
  );
  try {
    const root = loadConfig(bytes, file);
    const { value, diagnostics } = validate(root, { ...schema, properties }, file);
    return [...diagnostics, ...checkSettings(value, root, file)];
  } catch (error) {
    if (error instanceof RefusedError) return error.diagnostics;
    throw error;
  }
}
