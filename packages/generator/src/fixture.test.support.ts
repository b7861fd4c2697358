/** What the generator's tests share: a small template, configs by their text, a command line whose output is kept. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { buildModel } from "./build-model.js";
import { main } from "./cli.js";
import { type Diagnostic, RefusedError } from "./diagnostics.js";
import { sha256 } from "./hash.js";
import type { Model } from "./model.js";
import { readConfig } from "./spec/read.js";
import { projectTarget } from "./targets/project/index.js";
import type { Template } from "./template.js";

const runtimeBytes = new Uint8Array([0x1f, 0x8b, 0, 1, 2, 3]);

export const fixtureTemplate: Template = {
  files: new Map([["src/main.ts", "export {};\n"]]),
  packageJson: {
    name: "reference-service",
    version: "0.1.0",
    engines: { node: ">=20.19" },
    dependencies: { fastify: "^5.0.0", "@clean-arch/runtime": "0.1.0" },
    devDependencies: { typescript: "^6.0.0" },
  },
  packageLock: {
    name: "reference-service",
    version: "0.1.0",
    lockfileVersion: 3,
    packages: {
      "": { name: "reference-service", version: "0.1.0" },
      "node_modules/@clean-arch/runtime": {
        version: "0.0.1",
        resolved: "file:vendor/old.tgz",
        integrity: "sha512-old",
      },
      "node_modules/fastify": { version: "5.0.0", integrity: "sha512-abc" },
    },
  },
  runtime: { version: "0.1.0", fileName: "clean-arch-runtime-0.1.0.tgz", bytes: runtimeBytes, integrity: "sha512-new" },
};

const example = new URL("../../../examples/", import.meta.url);
export const exampleText = (name: string): string => readFileSync(new URL(name, example), "utf8");

export const modelOf = (text: string, name = "shop"): Model => {
  const { config } = readConfig(Buffer.from(text), "config.yaml");
  return buildModel(config, { name: config.project.name ?? name, text });
};

/** All diagnostics of a config: the warnings of a good one, everything about a bad one. */
export function diagnosticsOf(text: string | Uint8Array): readonly Diagnostic[] {
  try {
    return readConfig(typeof text === "string" ? Buffer.from(text) : text, "config.yaml").warnings;
  } catch (error) {
    if (error instanceof RefusedError) return error.diagnostics;
    throw error;
  }
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function run(...argv: string[]): Promise<Ran> {
  let [out, err] = ["", ""];
  const code = await main(argv, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    // One group of targets is enough to see how files are written; each group has tests of its own.
    rendering: { loadTemplate: () => fixtureTemplate, render: projectTarget },
  });
  return { code, out, err };
}

export function temporaryFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "clean-arch-test-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Path -> hash and mode of every file below a folder, folders with their mode. */
export function snapshot(folder: string, below = ""): Record<string, string> {
  const entries: Record<string, string> = {};
  for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isSymbolicLink()) {
      entries[path] = "link";
      continue;
    }
    const mode = (statSync(join(folder, path)).mode & 0o777).toString(8);
    if (entry.isDirectory()) Object.assign(entries, { [path]: mode }, snapshot(folder, path));
    else entries[path] = `${mode} ${sha256(readFileSync(join(folder, path)))}`;
  }
  return Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
}
