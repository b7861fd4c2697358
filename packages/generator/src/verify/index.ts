/**
 * `verify`: checks that read the project and nothing else: its files, its configuration, its wiring, its dependencies,
 * its layers. Each finding has a file, a line and a way to mend it. No network, no node_modules, no compiler.
 */
import { join } from "node:path";

import { type Diagnostic, inFileOrder, RefusedError, refusal } from "../diagnostics.js";
import { isRealFolder } from "../folder.js";
import { type Lock, readLock } from "../lock.js";
import { checkConfiguration } from "./configuration.js";
import { checkDependencies } from "./dependencies.js";
import { checkFiles } from "./files.js";
import { parseSource } from "./imports.js";
import { checkLayers } from "./layers.js";
import { type Check, listSources, type Project, readRegular } from "./project.js";
import { checkWiring } from "./wiring.js";

export interface Verified {
  readonly diagnostics: readonly Diagnostic[];
  /** How many files were looked at. */
  readonly files: number;
}

/** @throws RefusedError (exit 2) when the folder is no project of ours. */
export async function verifyProject(folder: string, shownAs: string): Promise<Verified> {
  if (!isRealFolder(folder)) throw refusal("not-a-folder", shownAs, "the folder of a project", "no folder");
  let lock: Lock | null;
  try {
    lock = readLock(folder, shownAs, 1);
  } catch (error) {
    if (error instanceof RefusedError) return { diagnostics: error.diagnostics, files: 1 };
    throw error;
  }
  if (lock === null) {
    const hint = "name the folder clean-arch-generator wrote";
    throw refusal(
      "not-a-project",
      shownAs,
      "a project of this generator (.clean-arch/lock.json)",
      "a folder without it",
      hint,
    );
  }

  const diagnostics: Diagnostic[] = [];
  const report: Project["report"] = ({ path, severity = "error", line = 1, column = 1, key = "", ...rest }) => {
    diagnostics.push({ severity, file: join(shownAs, path), line, column, key, ...rest });
  };
  const read = (path: string): Uint8Array | null => readRegular(folder, path);
  const paths = ["src", "tests"].flatMap((below) => listSources(folder, below));
  const sources = new Map(
    paths.map((path) => [path, parseSource(path, new TextDecoder().decode(read(path) ?? new Uint8Array()))]),
  );
  const project: Project = { folder, lock, read, sources, report };

  const checks: readonly Check[] = [checkFiles, checkSources, checkDependencies, checkLayers];
  for (const check of checks) check(project);
  const { config, diagnostics: ofConfiguration } = checkConfiguration(project, shownAs);
  diagnostics.push(...ofConfiguration);
  checkWiring(project, config);
  const files = new Set([...Object.keys(lock.files), ...paths]).size;
  return { diagnostics: inFileOrder(diagnostics), files };
}

const checkSources: Check = ({ sources, report }) => {
  for (const [path, { problem }] of sources) {
    if (problem === null) continue;
    const { message, line, column } = problem;
    report({ code: "unreadable-source", path, line, column, expected: "a file that can be parsed", got: message });
  }
};
