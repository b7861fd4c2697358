import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export interface Finished {
  readonly code: number | null;
  /** Standard output and error, as they came. */
  readonly output: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command to its end. */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  const { child, output } = start(command, args, options);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output: output() };
}

/** Starts a command in a process group of its own, so that `stop` reaches what it started. */
export function start(command: string, args: readonly string[], { cwd, env = {} }: RunOptions) {
  // What the test runner says about itself is not for the program under test.
  const { NODE_ENV: _, VITEST: __, ...inherited } = process.env;
  const child = spawn(command, [...args], {
    cwd,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...inherited, ...env },
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      text += String(chunk);
    });
  }
  return { child, output: () => text };
}

export async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return child.exitCode;
  const exited = once(child, "exit") as Promise<[number | null]>;
  process.kill(-child.pid, signal);
  return (await exited)[0];
}
