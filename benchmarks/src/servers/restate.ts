import { fileURLToPath } from "node:url";
import { freePort } from "@clean-arch/test-servers";
import { type StartedProcess, startProcess } from "./started-process.js";

export interface RestateServer extends StartedProcess {
  readonly ingressPort: number;
  readonly adminPort: number;
}

/**
 * A single Restate node with all roles. Its log is replicated to one copy and synced at each batch (`rocksdb-disable-wal-fsync` is false
 * by default). Partitions are fewer than the default 24, so that each has larger batches to sync: half the processor time per step.
 */
const PARTITIONS = 4;

export async function startRestate(folder: string): Promise<RestateServer> {
  const [nodePort, ingressPort, adminPort] = [await freePort(), await freePort(), await freePort()];
  const started = await startProcess({
    name: "restate",
    command: fileURLToPath(
      new URL("../../node_modules/@restatedev/restate-server-linux-x64/bin/restate-server", import.meta.url),
    ),
    args: ["--no-logo", "--base-dir", folder, "--node-name", "bench", "--listen-mode", "tcp", "--bind-ip", "127.0.0.1"],
    folder,
    env: {
      RESTATE_BIND_PORT: `${nodePort}`,
      RESTATE_ADMIN__BIND_PORT: `${adminPort}`,
      RESTATE_INGRESS__BIND_PORT: `${ingressPort}`,
      RESTATE_DEFAULT_NUM_PARTITIONS: `${PARTITIONS}`,
      RESTATE_LOG_FILTER: "warn",
      RESTATE_DISABLE_TELEMETRY: "true",
    },
    ready: async () => (await healthy(adminPort, "/health")) && (await healthy(ingressPort, "/restate/health")),
  });
  return { ...started, ingressPort, adminPort };
}

async function healthy(port: number, path: string): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}${path}`)).ok;
}
