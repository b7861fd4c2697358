import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "vite";

/** A program in TypeScript, bundled once, that a test starts as processes of its own and kills. */
export interface ChildProgram {
  /** A folder for its files; removed with the program. */
  readonly folder: string;
  start(args: readonly string[]): ChildProcessWithoutNullStreams;
  remove(): Promise<void>;
}

/** Statements are files beside the source: what reads them says where it lay, not where the bundle lies. */
const ownPlace = {
  name: "own-place",
  transform: (code: string, id: string): string | null =>
    id.endsWith("/stores/postgres/statements.ts")
      ? code.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(id).href))
      : null,
};

export async function bundleChildProgram(source: string): Promise<ChildProgram> {
  const folder = await mkdtemp(join(tmpdir(), "clean-arch-child-"));
  await writeFile(join(folder, "child.ts"), source);
  // Node 20 does not run TypeScript.
  const output = { ssr: join(folder, "child.ts"), outDir: folder, emptyOutDir: false, minify: false, target: "node20" };
  await build({ configFile: false, logLevel: "error", root: folder, build: output, plugins: [ownPlace] });
  // The bundle lies outside the repository; the driver is found where this file finds it.
  const modules = join(dirname(createRequire(import.meta.url).resolve("libsql")), "..");
  return {
    folder,
    start: (args) =>
      spawn(process.execPath, [join(folder, "child.mjs"), ...args], { env: { ...process.env, NODE_PATH: modules } }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
