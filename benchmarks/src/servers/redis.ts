import { execFileSync } from "node:child_process";

/** Null when it is not installed. */
export function redisVersion(): string | null {
  try {
    return /v=(\S+)/.exec(execFileSync("redis-server", ["--version"], { encoding: "utf8" }))?.[1] ?? null;
  } catch {
    return null;
  }
}
