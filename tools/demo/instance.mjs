import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { fail } from "./expectations.mjs";

/** What the demo has started and not seen end. */
const children = new Set();

/** Nothing outlives the demo, however it ends. */
export function killAll() {
  for (const child of children) child.kill("SIGKILL");
}

/** Runs a command to its end, with more in its environment; fails unless it exits with 0. Gives how long it took, s. */
export function run(command, args, cwd, environment = {}) {
  const startedAt = Date.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...{ cwd, stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...environment } },
    });
    children.add(child);
    child.once("error", reject);
    child.once("exit", (code) => {
      children.delete(child);
      if (code === 0) resolve((Date.now() - startedAt) / 1000);
      else reject(new Error(`expected "${[command, ...args].join(" ")}" to exit with 0, got ${code}`));
    });
  });
}

/** A process of the generated service in `folder`, ready. */
export async function startInstance(folder, { port, token, databaseUrl }) {
  const { DATABASE_URL: _, ...inherited } = process.env;
  const child = spawn(process.execPath, ["dist/main.js"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...inherited,
      PORT: String(port),
      HTTP_HOST: "127.0.0.1",
      OPERATOR_TOKEN: token,
      OBSERVABILITY_LOG_LEVEL: "warn",
      NODE_ENV: "development",
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    },
  });
  children.add(child);
  let output = "";
  const keep = (chunk) => {
    output = (output + chunk).slice(-4000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  for (let tries = 0; tries < 300; tries++) {
    if (child.exitCode !== null) fail(`expected the service to start, it exited with ${child.exitCode}:\n${output}`);
    const ready = await fetch(`http://127.0.0.1:${port}/health/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return child;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return fail(`expected the service to be ready within 30 s, it was not:\n${output}`);
}

/** Resolves with the exit code; null when a signal ended it. */
export function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once("exit", resolve));
}

/** `preferred`, else the next port that nobody listens on. */
export async function freePort(preferred) {
  for (let port = preferred; port < preferred + 100; port++) {
    const server = createServer();
    const free = await new Promise((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "0.0.0.0", () => resolve(true));
    });
    await new Promise((resolve) => server.close(resolve));
    if (free) return port;
  }
  return fail(`expected a free port from ${preferred} on, got none in 100`);
}
