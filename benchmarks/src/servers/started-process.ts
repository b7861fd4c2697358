import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

export interface ProcessToStart {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it answers; asked until it does. */
  readonly ready: () => Promise<boolean>;
}

/** A server that the bench started: stopped by its process id, and by nothing else. */
export interface StartedProcess {
  readonly pid: number;
  /** Resolves when it is gone. */
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 60_000;
const STOPPED_WITHIN_MS = 10_000;

/** Resolves when the server answers; rejects with the end of its log when it does not within a minute. */
export async function startProcess({
  name,
  command,
  args,
  folder,
  env,
  ready,
}: ProcessToStart): Promise<StartedProcess> {
  const log = `${folder}/${name}.log`;
  const output = openSync(log, "a");
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", output, output],
  });
  const until = Date.now() + READY_WITHIN_MS;
  while (!(await ready().catch(() => false))) {
    if (hasEnded(child) || Date.now() > until) {
      child.kill("SIGKILL");
      throw new Error(`expected ${name} to start, got:\n${readFileSync(log, "utf8").slice(-2_000)}`);
    }
    await delay(50);
  }
  return { pid: child.pid ?? 0, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOPPED_WITHIN_MS);
  await exit;
  clearTimeout(timer);
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}
