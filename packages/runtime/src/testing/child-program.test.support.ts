import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

/** A program in TypeScript, bundled once, that a test starts as processes of its own and kills. */
export interface ChildProgram {
  /** A folder for its files; removed with the program. */
  readonly folder: string;
  start(args: readonly string[]): ChildProcessWithoutNullStreams;
  remove(): Promise<void>;
}

export async function bundleChildProgram(source: string): Promise<ChildProgram> {
  const folder = await mkdtemp(join(tmpdir(), "clean-arch-child-"));
  // As deep as the stores lie in their package: from there they look for their statements.
  const bundle = join(folder, "bundle", "stores", "any");
  await mkdir(bundle, { recursive: true });
  await symlink(fileURLToPath(new URL("../../sql", import.meta.url)), join(folder, "sql"));
  await writeFile(join(folder, "child.ts"), source);
  // Node 20 does not run TypeScript.
  const output = { ssr: join(folder, "child.ts"), outDir: bundle, emptyOutDir: false, minify: false, target: "node20" };
  await build({ configFile: false, logLevel: "error", root: folder, build: output });
  // The bundle lies outside the repository; the driver is found where this file finds it.
  const modules = join(dirname(createRequire(import.meta.url).resolve("libsql")), "..");
  return {
    folder,
    start: (args) =>
      spawn(process.execPath, [join(bundle, "child.mjs"), ...args], { env: { ...process.env, NODE_PATH: modules } }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
