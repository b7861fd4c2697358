/**
 * The trial for real, with two seconds in the place of thirty days: the process that started it is killed while it sleeps, and another one
 * finishes it from the file. What was done was done once.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

/** The compiled program beside this one; the tests give a bundle of it. */
const worker = process.env.TRIAL_WORKER ?? fileURLToPath(new URL("worker.js", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "thirty-days-"));
const file = join(folder, "runs.db");
try {
  const first = start("start");
  for await (const line of lines(first)) {
    console.log(`first process: ${line}`);
    if (line === "sleeping") first.kill("SIGKILL");
  }
  console.log("first process: killed");

  const second = start("finish");
  for await (const line of lines(second)) console.log(`second process: ${line}`);
  console.log(`effects: ${(await readFile(`${file}.effects`, "utf8")).trim().replaceAll("\n", ", ")}`);
} finally {
  await rm(folder, { recursive: true });
}

function start(what: string): ChildProcessByStdio<null, Readable, null> {
  return spawn(process.execPath, [worker, file, what], { stdio: ["ignore", "pipe", "inherit"] });
}

/** What it prints, until it has ended. */
async function* lines(child: ChildProcessByStdio<null, Readable, null>): AsyncGenerator<string> {
  const ended = once(child, "exit");
  yield* createInterface({ input: child.stdout });
  await ended;
}
