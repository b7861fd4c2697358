/**
 * The template is data: the files of the reference service, the lock file a project of it has, and the runtime packed
 * as a tarball. The published package carries them as `dist/template/`; see tools/pack-template.mjs for how it is made.
 */
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
