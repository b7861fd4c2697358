/**
 * Writing, all or nothing.
 *
 * A new project is staged beside its folder (`.<name>.clean-arch-new.<pid>/tree`), made durable, and renamed into place:
 * one act. What a killed run leaves beside it is removed by the next.
 *
 * A project that exists changes by a journal below `.clean-arch/pending/`: the new contents are staged there, then
 * `intent.json` appears by rename. Before that moment the old tree holds and a killed run is forgotten; from then on the
 * new tree holds and the next command that touches the project finishes the swap (`recoverProject`). Each operation may
 * be repeated: it renames its staged file into place, or finds that this was done. The lock is the last operation.
 *
 * Modes are set explicitly, so that no umask shows; what is not in the plan (node_modules, data, your files) is not touched.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

import { refusal } from "./diagnostics.js";
import { guardPath, isRealFolder, isWritable, refusingSystemErrors, type Target } from "./folder.js";
import { sha256 } from "./hash.js";
import { isSafePath } from "./lock.js";
import type { Write } from "./plan.js";

export interface WriteOptions {
  /** How the user named the folder. */
  readonly shownAs: string;
  /** Called before each step that changes the disk; tests die here. */
  readonly onStep?: (step: string) => void;
}

const STATE = ".clean-arch";
const PENDING = `${STATE}/pending`;

export async function writeProject(target: Target, writes: readonly Write[], options: WriteOptions): Promise<void> {
  for (const { path } of writes) guardPath(target.folder, path, options.shownAs);
  await refusingSystemErrors(options.shownAs, async () => {
    if (target.kind !== "project" && resolve(target.folder) !== process.cwd()) {
      if (await writeFresh(target, writes, options)) return;
      makeFolders(target.folder);
    }
    if (writes.length > 0) await writeOver(target.folder, writes, options);
  });
}

/** False: folders cannot be swapped here (a mount point, a parent of others), so that the journal has to do it. */
async function writeFresh(
  target: Target,
  writes: readonly Write[],
  { shownAs, onStep = () => {} }: WriteOptions,
): Promise<boolean> {
  const parent = dirname(target.folder);
  if (target.kind === "empty" && !isWritable(parent)) return false;
  const madeParent = makeFolders(parent);
  removeLeftovers(parent, `.${basename(target.folder)}.clean-arch-new.`);
  const staging = join(parent, `.${basename(target.folder)}.clean-arch-new.${process.pid}`);
  const tree = join(staging, "tree");
  let done = false;
  try {
    onStep("stage");
    makeFolder(staging);
    makeFolder(tree);
    for (const { path, bytes, mode } of writes) {
      onStep(`stage ${path}`);
      if (bytes !== null) writeFile(join(tree, path), bytes, mode, tree);
    }
    await makeDurable(tree);
    onStep("swap");
    try {
      renameSync(tree, target.folder);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOTEMPTY" || code === "EEXIST") {
        const hint = "run again, or choose another --out";
        throw refusal(
          "folder-not-empty",
          shownAs,
          "a folder that stays as it was found",
          "one written to meanwhile",
          hint,
        );
      }
      if (target.kind === "empty") return false;
      throw error;
    }
    done = true;
    syncFolder(parent);
    onStep("clear");
    return true;
  } finally {
    rmSync(staging, { recursive: true, force: true });
    if (!done && madeParent !== null) removeEmptyFolders(parent, madeParent);
  }
}

interface Operation {
  readonly path: string;
  /** Name below `pending/`; null: remove. */
  readonly staged: string | null;
  readonly before: string | null;
  readonly after: string | null;
}

interface Intent {
  readonly format: 1;
  readonly operations: readonly Operation[];
}

async function writeOver(
  folder: string,
  writes: readonly Write[],
  { shownAs, onStep = () => {} }: WriteOptions,
): Promise<void> {
  const pending = join(folder, PENDING);
  const own = `${pending}.${process.pid}`;
  onStep("open");
  ensureFolder(join(folder, STATE), folder);
  rmSync(own, { recursive: true, force: true });
  makeFolder(own);
  writeFile(join(own, "pid"), Buffer.from(String(process.pid)), "644", own);
  onStep("claim");
  try {
    // Exclusive: renaming onto a folder with something in it fails, and a claim has its pid in it from the start.
    renameSync(own, pending);
  } catch (error) {
    rmSync(own, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTEMPTY" || code === "EEXIST") throw busy(shownAs);
    throw error;
  }
  try {
    const operations = writes.map(({ path, bytes, mode, before }, i): Operation => {
      onStep(`stage ${path}`);
      if (bytes === null) return { path, staged: null, before, after: null };
      const staged = `${i}.staged`;
      writeFile(join(pending, staged), bytes, mode, pending);
      return { path, staged, before, after: sha256(bytes) };
    });
    const intent: Intent = { format: 1, operations };
    writeFile(join(pending, "intent.tmp"), Buffer.from(JSON.stringify(intent)), "644", pending);
    await makeDurable(pending);
    onStep("commit");
    renameSync(join(pending, "intent.tmp"), join(pending, "intent.json"));
    syncFolder(pending);
  } catch (error) {
    rmSync(pending, { recursive: true, force: true });
    throw error;
  }
  finish(folder, shownAs, onStep);
}

const busy = (shownAs: string): Error =>
  refusal(
    "busy-folder",
    shownAs,
    "a project nobody else is writing",
    "one that another run is writing",
    "wait for it to end",
  );

/**
 * Brings a project out of what a killed run left: rolls an unfinished swap forward, forgets one that had not begun. Call it
 * before reading the project.
 */
export function recoverProject(folder: string, shownAs: string, onStep: (step: string) => void = () => {}): void {
  if (!isRealFolder(folder)) return;
  guardPath(folder, `${PENDING}/intent.json`, shownAs);
  removeLeftovers(join(folder, STATE), "pending.");
  const pending = join(folder, PENDING);
  if (!existsSync(pending)) return;
  const pid = existsSync(join(pending, "pid")) ? Number(readFileSync(join(pending, "pid"), "utf8")) : 0;
  if (pid !== process.pid && isAlive(pid)) throw busy(shownAs);
  if (existsSync(join(pending, "intent.json"))) return finish(folder, shownAs, onStep);
  rmSync(pending, { recursive: true, force: true });
  removeIfEmpty(join(folder, STATE));
}

function finish(folder: string, shownAs: string, onStep: (step: string) => void): void {
  const pending = join(folder, PENDING);
  const touched = new Set<string>();
  for (const operation of readIntent(pending, shownAs)) {
    onStep(`swap ${operation.path}`);
    perform(folder, operation, shownAs);
    touched.add(dirname(join(folder, operation.path)));
  }
  for (const path of touched) if (existsSync(path)) syncFolder(path);
  onStep("close");
  // The intent goes first: a folder without it is forgotten, one with it and half its files gone would not be.
  unlinkSync(join(pending, "intent.json"));
  rmSync(pending, { recursive: true, force: true });
}

function perform(folder: string, { path, staged, before, after }: Operation, shownAs: string): void {
  guardPath(folder, path, shownAs);
  const target = join(folder, path);
  const now = existsSync(target) ? sha256(readFileSync(target)) : null;
  if (now === after) return;
  if (now !== before) {
    const hint = "your file changed while an interrupted run waited to be finished; move it away and run again";
    throw refusal("edited-file", join(shownAs, path), "the file as that run found it", "another", hint);
  }
  if (staged === null) {
    unlinkSync(target);
    for (let above = dirname(target); above !== folder && removeIfEmpty(above); above = dirname(above));
    return;
  }
  const from = join(folder, PENDING, staged);
  if (!existsSync(from)) {
    const hint = "restore the project from version control";
    throw refusal(
      "project-damaged",
      join(shownAs, path),
      "its new content, staged by an interrupted run",
      "nothing",
      hint,
    );
  }
  ensureFolder(dirname(target), folder);
  renameSync(from, target);
}

function readIntent(pending: string, shownAs: string): readonly Operation[] {
  const hint = `remove ${PENDING} and restore the project from version control`;
  const damaged = (): Error =>
    refusal(
      "project-damaged",
      join(shownAs, PENDING, "intent.json"),
      "what an interrupted run meant to do",
      "something else",
      hint,
    );
  let intent: Partial<Intent>;
  try {
    intent = JSON.parse(readFileSync(join(pending, "intent.json"), "utf8")) as Partial<Intent>;
  } catch {
    throw damaged();
  }
  const { format, operations } = intent;
  if (format !== 1 || !Array.isArray(operations)) throw damaged();
  const isHash = (value: unknown): boolean => value === null || /^[0-9a-f]{64}$/.test(String(value));
  for (const one of operations as Partial<Operation>[]) {
    const staged = one.staged === null || /^[0-9]+\.staged$/.test(String(one.staged));
    if (!isSafePath(String(one.path)) || !staged || !isHash(one.before) || !isHash(one.after)) throw damaged();
  }
  return operations;
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** What runs that died before their first lasting step left: `<prefix><pid>`. */
function removeLeftovers(folder: string, prefix: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const pid = name.startsWith(prefix) ? name.slice(prefix.length) : "";
    if (!/^[0-9]+$/.test(pid) || (Number(pid) !== process.pid && isAlive(Number(pid)))) continue;
    rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function removeIfEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

function makeFolder(path: string): void {
  mkdirSync(path);
  chmodSync(path, 0o755);
}

/**
 * Makes the folders of the user's path that are not there; the first of them, or null. Not mkdir's own `recursive`,
 * which never returns where the system makes no folders (/proc).
 */
function makeFolders(path: string): string | null {
  if (existsSync(path)) return null;
  const first = makeFolders(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if (first !== null) removeEmptyFolders(dirname(path), first);
    throw error;
  }
  return first ?? path;
}

/** From `path` up to `last`, as far as they are empty. */
function removeEmptyFolders(path: string, last: string): void {
  if (removeIfEmpty(path) && path !== last) removeEmptyFolders(dirname(path), last);
}

/** Makes the folders from `root` down to `path`. */
function ensureFolder(path: string, root: string): void {
  if (existsSync(path)) return;
  if (path !== root) ensureFolder(dirname(path), root);
  makeFolder(path);
}

function writeFile(path: string, bytes: Uint8Array, mode: Write["mode"], root: string): void {
  ensureFolder(dirname(path), root);
  writeFileSync(path, bytes, { mode: 0o600 });
  chmodSync(path, mode === "755" ? 0o755 : 0o644);
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Everything in the folder, and the folder: at once, since one after the other costs a disk's round trip each. */
async function makeDurable(folder: string): Promise<void> {
  const below = readdirSync(folder, { recursive: true, withFileTypes: true });
  const paths = [folder, ...below.map((entry) => join(entry.parentPath, entry.name))];
  await Promise.all(
    paths.map(async (path) => {
      const handle = await open(path, "r");
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    }),
  );
}
