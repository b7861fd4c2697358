/**
 * The published JSON Schema as data: what a run validates against. It is written from schema.ts by tools/write-schema.mjs
 * and proved fresh by a test, so that no run pays for building it.
 */
import { readFileSync } from "node:fs";

import type { Schema } from "./keywords.js";

const location = new URL("../../schema/clean-arch.schema.json", import.meta.url);

let loaded: { readonly text: string; readonly schema: Schema } | null = null;

/** The text of `schema/clean-arch.schema.json` and what it says. */
export function publishedSchema(): { readonly text: string; readonly schema: Schema } {
  if (loaded === null) {
    const text = readFileSync(location, "utf8");
    loaded = { text, schema: JSON.parse(text) as Schema };
  }
  return loaded;
}
