import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, release, totalmem } from "node:os";

/** What the figures depend on besides the programs; no names of hosts or folders. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** `versions`: of the servers and runtimes; `packages`: names of those whose versions matter too. */
export function machine(versions: Readonly<Record<string, string>>, packages: readonly string[]): Machine {
  const [first] = cpus();
  return {
    cpu: first?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `Linux ${release().split("-")[0]}`,
    versions: { ...versions, ...Object.fromEntries(packages.map((name) => [name, packageVersion(name)])) },
  };
}

function packageVersion(name: string): string {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const folder of folders) {
    try {
      const manifest: unknown = JSON.parse(readFileSync(`${folder}/${name}/package.json`, "utf8"));
      if (typeof manifest === "object" && manifest !== null && "version" in manifest) return `${manifest.version}`;
    } catch {
      // Not in this one.
    }
  }
  return "not installed";
}
