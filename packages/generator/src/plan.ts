/**
 * The plan: the whole project as a virtual tree, and what it means for the folder it goes to. `--dry-run`, `--diff` and
 * the run itself read the same plan, so that none can say what another does not do.
 *
 * For each file: on disk as planned -> unchanged; not there -> create; `generated` -> rewrite; `merged` and unedited ->
 * rewrite; `merged`, edited, and we would write what we wrote before -> keep; `merged` and changed on both sides ->
 * conflict, nothing is written; `once` -> keep. A `once` file the user deleted stays deleted. What the plan no longer has
 * is removed while unedited; a `once` file never is, and the user is told that it is left over.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { type Diagnostic, RefusedError } from "./diagnostics.js";
import { sha256 } from "./hash.js";
import { BASE_FOLDER, isSafePath, LOCK_PATH, type Lock, type LockEntry, lockText } from "./lock.js";
import type { Model } from "./model.js";
import { type Owner, renderTargets, type TargetFile } from "./targets/index.js";
import type { Template } from "./template.js";
import { generatorName } from "./version.js";

export interface PlannedFile {
  readonly path: string;
  readonly owner: Owner;
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly mode: LockEntry["mode"];
}

export interface Plan {
  /** By path, sorted. */
  readonly files: readonly PlannedFile[];
  readonly configHash: string;
}

export function buildPlan(model: Model, template: Template, render = renderTargets): Plan {
  const files = new Map<string, PlannedFile>();
  const folded = new Map<string, string>();
  for (const target of render(model, template)) {
    const file = planned(target);
    // Some file systems know no case; two such files would be one there.
    const twin = folded.get(file.path.toLowerCase());
    if (twin !== undefined) throw new Error(`two targets write one file: ${twin} and ${file.path}`);
    if (!isSafePath(file.path) || file.path === LOCK_PATH || file.path.startsWith(`${BASE_FOLDER}/`)) {
      throw new Error(`a target writes where none may: ${file.path}`);
    }
    folded.set(file.path.toLowerCase(), file.path);
    files.set(file.path, file);
  }
  const sorted = [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files: sorted, configHash: model.source.configHash };
}

function planned({ path, owner, content, executable }: TargetFile): PlannedFile {
  const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
  return { path, owner, bytes, sha256: sha256(bytes), mode: executable === true ? "755" : "644" };
}

export type ChangeKind = "create" | "rewrite" | "delete" | "unchanged" | "keep";

export interface Change {
  readonly kind: ChangeKind;
  readonly path: string;
  readonly owner: Owner;
  /** What is on disk; null: nothing. */
  readonly before: Uint8Array | null;
  /** What is to be there; null: nothing. */
  readonly after: Uint8Array | null;
}

/** What is written: bytes for a path, or null to remove it. The lock comes last. */
export interface Write {
  readonly path: string;
  readonly bytes: Uint8Array | null;
  readonly mode: LockEntry["mode"];
  /** sha256 of what is on disk now; null: nothing is. */
  readonly before: string | null;
}

export interface Comparison {
  /** Sorted by path. */
  readonly changes: readonly Change[];
  readonly writes: readonly Write[];
  readonly warnings: readonly Diagnostic[];
}

/** @throws RefusedError (exit 1) naming every file changed on both sides or standing where one of ours goes. */
export function comparePlan(plan: Plan, folder: string, lock: Lock | null, shownAs: string): Comparison {
  const read = (path: string): Uint8Array | null =>
    existsSync(join(folder, path)) ? readFileSync(join(folder, path)) : null;
  const changes: Change[] = [];
  const conflicts: Diagnostic[] = [];
  const warnings: Diagnostic[] = [];
  const entries: Record<string, LockEntry> = {};
  const say = (
    to: Diagnostic[],
    severity: Diagnostic["severity"],
    code: Diagnostic["code"],
    path: string,
    expected: string,
    got: string,
    hint: string,
  ) => to.push({ severity, code, file: join(shownAs, path), line: 1, column: 1, key: "", expected, got, hint });

  for (const file of plan.files) {
    const before = read(file.path);
    const known = lock?.files[file.path];
    const kind = decide(file, before, known);
    if (kind === "edited-file") {
      const hint = "move your edit elsewhere, or undo it, generate, and make it again";
      say(
        conflicts,
        "error",
        kind,
        file.path,
        "a file unedited since it was written",
        "your edit and a change of ours",
        hint,
      );
    } else if (kind === "file-in-the-way") {
      const hint = "move it away, generate, and bring back what you need of it";
      say(conflicts, "error", kind, file.path, "no file of yours where one of ours goes", "one", hint);
    } else {
      const after = kind === "keep" ? before : file.bytes;
      changes.push({ kind, path: file.path, owner: file.owner, before, after });
      if (kind === "keep" && isTestOfBefore(file, known)) {
        const hint = "bring it up to date, or remove it";
        say(
          warnings,
          "warning",
          "outdated-file",
          file.path,
          "a test of what the config says now",
          "yours, which stays",
          hint,
        );
      }
      const { owner, sha256: hash, mode } = file;
      entries[file.path] = { owner, sha256: hash, mode };
    }
  }

  for (const [path, entry] of Object.entries(lock?.files ?? {})) {
    if (plan.files.some((file) => file.path === path)) continue;
    const before = read(path);
    if (before === null) continue;
    if (entry.owner !== "once" && sha256(before) === entry.sha256) {
      changes.push({ kind: "delete", path, owner: entry.owner, before, after: null });
    } else if (entry.owner !== "once") {
      const hint = "the config no longer needs it; remove it if you do not";
      say(
        warnings,
        "warning",
        "edited-file",
        path,
        "a file that can be removed",
        "one with an edit of yours, which stays",
        hint,
      );
    } else if (!path.startsWith(MIGRATIONS)) {
      const hint = "remove it, or keep what you need of it: what it imports may be gone";
      const got = "one that it no longer does; it is yours and stays";
      say(warnings, "warning", "left-over-file", path, "a file the config asks for", got, hint);
    }
  }

  if (conflicts.length > 0) throw new RefusedError(conflicts, 1);
  changes.sort((a, b) => (a.path < b.path ? -1 : 1));
  const next: Lock = { format: 1, generator: generatorName, config_hash: plan.configHash, files: entries };
  return { changes, warnings, writes: writesFor(plan, changes, lock, next, read) };
}

/** Applied ones are history, whatever the config says. */
const MIGRATIONS = "migrations/";

/** What we would write has changed since it was written, once. */
const isTestOfBefore = ({ path, owner, sha256: hash }: PlannedFile, known: LockEntry | undefined): boolean =>
  owner === "once" && path.startsWith("tests/") && known !== undefined && known.sha256 !== hash;

function decide(
  file: PlannedFile,
  before: Uint8Array | null,
  known: LockEntry | undefined,
): Exclude<ChangeKind, "delete"> | "edited-file" | "file-in-the-way" {
  if (before === null) return known !== undefined && file.owner === "once" ? "keep" : "create";
  const onDisk = sha256(before);
  if (onDisk === file.sha256) return "unchanged";
  if (file.owner === "once") return "keep";
  if (known === undefined) return "file-in-the-way";
  if (file.owner === "generated" || onDisk === known.sha256) return "rewrite";
  return file.sha256 === known.sha256 ? "keep" : "edited-file";
}

function writesFor(
  plan: Plan,
  changes: readonly Change[],
  lock: Lock | null,
  next: Lock,
  read: (path: string) => Uint8Array | null,
): Write[] {
  const modes = new Map(plan.files.map((file) => [file.path, file.mode]));
  const hashOf = (bytes: Uint8Array | null): string | null => (bytes === null ? null : sha256(bytes));
  const writes: Write[] = changes
    .filter(({ kind }) => kind === "create" || kind === "rewrite" || kind === "delete")
    .map(({ path, before, after }) => ({ path, bytes: after, mode: modes.get(path) ?? "644", before: hashOf(before) }));

  const add = (path: string, bytes: Uint8Array | null): void => {
    const before = read(path);
    if (hashOf(before) !== hashOf(bytes)) writes.push({ path, bytes, mode: "644", before: hashOf(before) });
  };
  for (const file of plan.files) if (file.owner === "merged") add(`${BASE_FOLDER}/${file.path}`, file.bytes);
  for (const [path, entry] of Object.entries(lock?.files ?? {})) {
    if (entry.owner === "merged" && next.files[path]?.owner !== "merged") add(`${BASE_FOLDER}/${path}`, null);
  }
  add(LOCK_PATH, Buffer.from(lockText(next)));
  return writes;
}
