import { createRequire } from "node:module";

/** The `pg` that the runtime itself loads, not the one that a peer brings: the same version, and the same class to watch. */
export function runtimePg(): typeof import("pg") {
  const require = createRequire(import.meta.resolve("@clean-arch/runtime/postgres"));
  return require("pg");
}
