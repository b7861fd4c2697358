/** What the checks of `verify` share: the project on disk, and a way to report a finding in it. */
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Diagnostic } from "../diagnostics.js";
import type { Lock } from "../lock.js";
import type { SourceFile } from "./imports.js";

export interface Project {
  readonly folder: string;
  readonly lock: Lock;
  /** Null: not there, or not a regular file. */
  readonly read: (path: string) => Uint8Array | null;
  /** Parsed files of src and tests, by path. */
  readonly sources: ReadonlyMap<string, SourceFile>;
  readonly report: (finding: FindingOf) => void;
}

export type FindingOf = Pick<Diagnostic, "code" | "expected" | "got"> & {
  /** Path inside the project. */
  readonly path: string;
  readonly line?: number;
  readonly column?: number;
  readonly key?: string;
  readonly hint?: string;
  readonly severity?: Diagnostic["severity"];
};

export type Check = (project: Project) => void;

export function readRegular(folder: string, path: string): Uint8Array | null {
  const full = join(folder, path);
  return existsSync(full) && lstatSync(full).isFile() ? readFileSync(full) : null;
}

const SOURCE = /\.[cm]?[jt]sx?$/;

/** Source files below a folder, sorted; links and what is installed or built are not followed. */
export function listSources(folder: string, below: string): string[] {
  const full = join(folder, below);
  if (!existsSync(full) || !lstatSync(full).isDirectory()) return [];
  return readdirSync(full, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${below}/${entry.name}`;
      if (entry.isDirectory()) return entry.name === "node_modules" ? [] : listSources(folder, path);
      return entry.isFile() && SOURCE.test(entry.name) ? [path] : [];
    });
}
