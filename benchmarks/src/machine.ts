import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, release, totalmem } from "node:os";
import { nodeBinary } from "./contenders.js";
import type { Machine } from "./result.js";
import type { DatabaseServer } from "./servers/postgres.js";
import { redisVersion } from "./servers/redis.js";

const PEERS = [
  "@dbos-inc/dbos-sdk",
  "openworkflow",
  "@restatedev/restate-sdk",
  "@restatedev/restate-server-linux-x64",
  "bullmq",
];

/** What the figures depend on besides the programs; no names of hosts or folders. */
export function machine({ version, durability }: DatabaseServer): Machine {
  const [first] = cpus();
  return {
    cpu: first?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `Linux ${release().split("-")[0]}`,
    versions: {
      Node: process.versions.node,
      "newer Node": newerNode(),
      PostgreSQL: version.split(" ")[0] ?? version,
      Redis: redisVersion() ?? "none",
      ...Object.fromEntries(PEERS.map((name) => [name, packageVersion(name)])),
    },
    postgresDurability: durability,
  };
}

export function newerNode(): string {
  return execFileSync(nodeBinary("newer"), ["--version"], { encoding: "utf8" }).trim().slice(1);
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
