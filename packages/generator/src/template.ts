/**
 * The template is data: the files of the reference service, the lock file a project of it has, and the runtime packed
 * as a tarball. The published package carries them in `template/`, written by tools/pack-template.mjs; inside the
 * workspace the reference service is read from its folder, so that only the tarball needs packing.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { JsonValue } from "./model.js";

export interface Template {
  /** Files of the reference service by path (`src/main.ts`), as they are there. Text only. */
  readonly files: ReadonlyMap<string, string>;
  /** The reference service's package.json: where a project's dependency versions come from. */
  readonly packageJson: PackageJson;
  /** The lock file of a project installed from it, or null while none is stored. */
  readonly packageLock: PackageLock | null;
  readonly runtime: RuntimeTarball;
}

export interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly overrides?: Readonly<Record<string, JsonValue>>;
  readonly engines?: Readonly<Record<string, string>>;
}

export interface PackageLock {
  readonly packages: Readonly<Record<string, { readonly [key: string]: JsonValue }>>;
  readonly [key: string]: JsonValue;
}

export interface RuntimeTarball {
  readonly version: string;
  /** `clean-arch-runtime-<version>.tgz`. */
  readonly fileName: string;
  readonly bytes: Uint8Array;
  /** `sha512-...`, as lock files write it. */
  readonly integrity: string;
}

/** `template/template.json`; the tarball lies beside it. */
export interface PackedTemplate {
  readonly format: 1;
  readonly files: Readonly<Record<string, string>>;
  readonly packageJson: PackageJson;
  readonly packageLock: PackageLock | null;
  readonly runtime: Omit<RuntimeTarball, "bytes">;
}

const packedFolder = fileURLToPath(new URL("../template/", import.meta.url));
const workspaceFolder = fileURLToPath(new URL("../../reference-service/", import.meta.url));

export function loadTemplate(): Template {
  const path = join(packedFolder, "template.json");
  if (!existsSync(path)) throw new Error(`expected the packed template at ${path}, found none; run \`npm run build\``);
  const packed = JSON.parse(readFileSync(path, "utf8")) as PackedTemplate;
  const bytes = readFileSync(join(packedFolder, packed.runtime.fileName));
  const runtime = { ...packed.runtime, bytes };
  const inWorkspace = !packedFolder.includes("node_modules") && existsSync(join(workspaceFolder, "package.json"));
  if (inWorkspace) return { ...readReferenceService(workspaceFolder), runtime };
  const { packageJson, packageLock } = packed;
  return { files: new Map(Object.entries(packed.files)), packageJson, packageLock, runtime };
}

/** Not source: what a build or a run leaves, and the manifests, which are emitted from the model. */
const NOT_TEMPLATE =
  /^(node_modules|dist|data|coverage|package\.json|package-lock\.json|tsconfig[^/]*\.json|.*\.tsbuildinfo|\.env)$/;

export function readReferenceService(folder: string): Omit<Template, "runtime"> {
  const files = new Map<string, string>();
  const walk = (below: string): void => {
    const entries = readdirSync(join(folder, below), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (NOT_TEMPLATE.test(entry.name)) continue;
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile()) files.set(path, readFileSync(join(folder, path), "utf8"));
    }
  };
  walk("");
  const json = <T>(name: string): T => JSON.parse(readFileSync(join(folder, name), "utf8")) as T;
  const packageLock = existsSync(join(folder, "package-lock.json")) ? json<PackageLock>("package-lock.json") : null;
  return { files, packageJson: json<PackageJson>("package.json"), packageLock };
}
