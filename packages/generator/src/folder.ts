/**
 * Where a project may be written: nowhere yet, an empty folder, or a project of ours (it holds our lock). Links are
 * never followed: not the folder itself, not a folder inside it, not a file one of ours would replace.
 */
import { accessSync, constants, lstatSync, readdirSync, type Stats } from "node:fs";
import { dirname, join } from "node:path";

import { refusal } from "./diagnostics.js";
import { type Lock, readLock } from "./lock.js";

export type Target =
  | { readonly kind: "missing" | "empty"; readonly folder: string }
  | { readonly kind: "project"; readonly folder: string; readonly lock: Lock };

const lstat = (path: string): Stats | null => {
  try {
    return lstatSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw error;
  }
};

export function isRealFolder(path: string): boolean {
  try {
    return lstatSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** @throws RefusedError with what to do; nothing has been written. `shownAs` is how the user named the folder. */
export const inspectFolder = (folder: string, shownAs: string): Promise<Target> =>
  refusingSystemErrors(shownAs, () => inspect(folder, shownAs));

function inspect(folder: string, shownAs: string): Target {
  const stats = lstat(folder);
  if (stats === null) {
    requireWritableAncestor(folder, shownAs);
    return { kind: "missing", folder };
  }
  if (stats.isSymbolicLink()) {
    throw refusal("folder-is-link", shownAs, "a folder", "a symbolic link", "name the folder it points to");
  }
  if (!stats.isDirectory()) throw refusal("not-a-folder", shownAs, "a folder", "a file", "choose another --out");
  requireWritable(folder, shownAs);
  const names = readdirSync(folder);
  if (names.length === 0) return { kind: "empty", folder };
  guardPath(folder, ".clean-arch/lock.json", shownAs);
  const lock = readLock(folder, shownAs);
  if (lock !== null) return { kind: "project", folder, lock };
  const first = names.sort()[0] ?? "";
  const got = `a folder with ${names.length === 1 ? first : `${first} and ${names.length - 1} more`} in it`;
  const hint = "choose another --out, or empty it";
  throw refusal("folder-not-empty", shownAs, "an empty folder, none yet, or a project of this generator", got, hint);
}

export function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function requireWritable(folder: string, shownAs: string): void {
  if (!isWritable(folder)) throw notWritable(shownAs);
}

const REMEDIES: ReadonlyMap<string, string> = new Map([
  ["ENAMETOOLONG", "choose a shorter --out"],
  ["ENOSPC", "make room, or choose another --out"],
  ["EDQUOT", "make room, or choose another --out"],
  ["EROFS", "choose another --out; this file system is read-only"],
]);

const notWritable = (shownAs: string, code?: string): Error => {
  const got = code === undefined ? "one that cannot" : `one that cannot (${code})`;
  const hint = REMEDIES.get(code ?? "") ?? "choose another --out, or change its permissions";
  return refusal("folder-not-writable", shownAs, "a folder that can be written to", got, hint);
};

/** Runs what touches the folder; what the system refuses is the folder's fault, and said as such. */
export async function refusingSystemErrors<T>(shownAs: string, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code !== undefined && syscall !== undefined) throw notWritable(shownAs, code);
    throw error;
  }
}

function requireWritableAncestor(folder: string, shownAs: string): void {
  const parent = dirname(folder);
  const stats = lstat(parent);
  if (stats === null && parent !== folder) return requireWritableAncestor(parent, shownAs);
  // A link above the project is the user's way to it; only what is ours must not be one.
  if (stats?.isSymbolicLink() !== true && stats?.isDirectory() !== true) {
    throw refusal("not-a-folder", shownAs, "a path of folders", `${parent}, which is a file`, "choose another --out");
  }
  requireWritable(parent, shownAs);
}

/** Every part of the path is a real folder or missing, its end a real file or missing. */
export function guardPath(folder: string, path: string, shownAs: string, exitCode: 1 | 2 = 2): void {
  const parts = path.split("/");
  let below = "";
  for (const [i, part] of parts.entries()) {
    below = below === "" ? part : `${below}/${part}`;
    const stats = lstat(join(folder, below));
    if (stats === null) return;
    const where = join(shownAs, below);
    if (stats.isSymbolicLink()) {
      const hint = "replace it by what it points to";
      throw refusal("folder-is-link", where, "a file or folder of the project", "a symbolic link", hint, exitCode);
    }
    const last = i === parts.length - 1;
    if (last && !stats.isFile()) {
      throw refusal("file-in-the-way", where, "a file, or none yet", "a folder", "move it away", exitCode);
    }
    if (!last && !stats.isDirectory()) {
      throw refusal("file-in-the-way", where, "a folder, or none yet", "a file", "move it away", exitCode);
    }
  }
}
