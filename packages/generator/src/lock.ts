/**
 * The lock: `.clean-arch/lock.json`, committed with the project, says which files are ours, whose they are, and what we
 * last wrote; `.clean-arch/base/<path>` keeps the text of merged files as last written. Together they tell an edit from
 * a rewrite, offline and from a fresh clone. A folder is a project of ours when its lock can be read.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { refusal } from "./diagnostics.js";
import type { Owner } from "./targets/target-file.js";

export const LOCK_PATH = ".clean-arch/lock.json";
export const BASE_FOLDER = ".clean-arch/base";

export interface LockEntry {
  readonly owner: Owner;
  /** Hex, of the content last written. */
  readonly sha256: string;
  /** "644" or "755". */
  readonly mode: "644" | "755";
}

export interface Lock {
  readonly format: 1;
  /** `clean-arch-generator@<version>` */
  readonly generator: string;
  readonly config_hash: string;
  /** By path, sorted. */
  readonly files: Readonly<Record<string, LockEntry>>;
}

export function lockText(lock: Lock): string {
  const files = Object.entries(lock.files).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${JSON.stringify({ ...lock, files: Object.fromEntries(files) }, null, 2)}\n`;
}

/** Null: the folder has no lock. @throws RefusedError when it has one that cannot be read. */
export function readLock(folder: string, shownAs: string, exitCode: 1 | 2 = 2): Lock | null {
  const path = join(folder, LOCK_PATH);
  if (!existsSync(path)) return null;
  const hint = "restore it from version control";
  const damaged = (expected: string, got: string): never => {
    throw refusal("bad-lock", join(shownAs, LOCK_PATH), expected, got, hint, exitCode);
  };
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    return damaged(
      "JSON",
      error instanceof SyntaxError ? "text that is not" : `a file that cannot be read (${codeOf(error)})`,
    );
  }
  if (!isRecord(value) || value.format !== 1) {
    return damaged("a lock of format 1", isRecord(value) ? `format ${JSON.stringify(value.format)}` : "another value");
  }
  const { generator, config_hash, files } = value;
  if (typeof generator !== "string" || typeof config_hash !== "string" || !isRecord(files)) {
    return damaged("generator, config_hash and files", "a lock without them");
  }
  for (const [name, entry] of Object.entries(files)) {
    if (!isSafePath(name)) return damaged("paths inside the project", JSON.stringify(name));
    if (!isEntry(entry))
      return damaged("owner, sha256 and mode for each file", `another entry for ${JSON.stringify(name)}`);
  }
  return value as unknown as Lock;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isEntry = (value: unknown): value is LockEntry =>
  isRecord(value) &&
  ["generated", "merged", "once"].includes(String(value.owner)) &&
  /^[0-9a-f]{64}$/.test(String(value.sha256)) &&
  ["644", "755"].includes(String(value.mode));

/** Relative, `/` between the parts, nothing that climbs out, nothing a file system spells in two ways. */
export const isSafePath = (path: string): boolean =>
  /^[A-Za-z0-9._@-][A-Za-z0-9._@/-]*$/.test(path) &&
  path.split("/").every((part) => part !== "" && part !== "." && part !== "..");

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "unknown";
