import { execFileSync } from "node:child_process";
import { connect } from "node:net";
import { freePort } from "@clean-arch/test-servers";
import { type StartedProcess, startProcess } from "./started-process.js";

/** What is said of it beside figures. */
export const REDIS_SETTINGS =
  'save "", appendonly no: nothing is written to a file; else its defaults, on the loopback address';

/** A Redis that persists nothing, as the comparison says: what it loses in a crash is everything. */
export async function startRedis(folder: string): Promise<StartedProcess & { readonly port: number }> {
  const port = await freePort();
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
  const started = await startProcess({
    name: "redis",
    command: "redis-server",
    args,
    folder,
    ready: () => accepts(port),
  });
  return { ...started, port };
}

/** Null when it is not installed. */
export function redisVersion(): string | null {
  try {
    return /v=(\S+)/.exec(execFileSync("redis-server", ["--version"], { encoding: "utf8" }))?.[1] ?? null;
  } catch {
    return null;
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
