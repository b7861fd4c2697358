#!/usr/bin/env node
// Writes schema/clean-arch.schema.json from the compiled src/spec/schema.ts. Part of the package's build.
import { mkdirSync, writeFileSync } from "node:fs";

import { schemaDocument } from "../dist/spec/schema.js";

const target = new URL("../schema/clean-arch.schema.json", import.meta.url);
mkdirSync(new URL(".", target), { recursive: true });
writeFileSync(target, `${JSON.stringify(schemaDocument, null, 2)}\n`);
