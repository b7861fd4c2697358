/** What a command is given and gives back. */
import { readFileSync, statSync } from "node:fs";

import { bounded, type Diagnostic, RefusedError, refusal, renderJson, renderText } from "../diagnostics.js";
import { CONFIG_MAX_BYTES } from "../spec/load.js";
import { type ReadConfig, readConfig } from "../spec/read.js";
import type { renderTargets } from "../targets/index.js";
import type { Template } from "../template.js";

export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** What a project is rendered from and by; default: this package's own template and all targets. */
  readonly rendering?: { readonly loadTemplate: () => Template; readonly render: typeof renderTargets };
}

export interface Flags {
  readonly config?: string;
  readonly out?: string;
  readonly runtime?: string;
  readonly strict: boolean;
  readonly json: boolean;
  readonly dryRun: boolean;
  readonly diff: boolean;
}

export interface Invocation {
  readonly io: Io;
  readonly flags: Flags;
  readonly positionals: readonly string[];
}

/** Resolves with the process's exit code; refusals are thrown. */
export type Command = (invocation: Invocation) => Promise<number>;

export function printDiagnostics(
  { io, flags }: Pick<Invocation, "io" | "flags">,
  diagnostics: readonly Diagnostic[],
): void {
  for (const one of bounded(diagnostics)) io.err(`${flags.json ? renderJson(one) : renderText(one)}\n`);
}

export function readConfigFile(path: string, options: { strict: boolean }): ReadConfig {
  return readConfig(readBounded(path), path, options);
}

function readBounded(path: string): Uint8Array {
  try {
    const stats = statSync(path);
    if (!stats.isFile())
      throw refusal("not-a-file", path, "a config file", stats.isDirectory() ? "a folder" : "something else");
    if (stats.size > CONFIG_MAX_BYTES) {
      throw refusal("file-too-large", path, `at most 1 MiB (${CONFIG_MAX_BYTES} bytes)`, `${stats.size} bytes`);
    }
    return readFileSync(path);
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    const { code = "unknown" } = error as NodeJS.ErrnoException;
    const got = code === "ENOENT" || code === "ENOTDIR" ? "no such file" : `one that cannot be read (${code})`;
    throw refusal("file-not-found", path, "a config file", got, "check the path and its permissions");
  }
}
