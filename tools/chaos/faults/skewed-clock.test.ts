import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { findLibfaketime, skewedClock } from "./skewed-clock.js";

const preload = fileURLToPath(new URL("../preload.mjs", import.meta.url));
const HOUR = 3_600_000;
const SLACK = 60_000;

/** Says what time it is, whenever it is asked. */
const PROGRAM = `process.stdin.on("data", () => console.log(Date.now(), new Date().getTime(), performance.now()));`;

it.each([
  ["libfaketime", findLibfaketime()],
  ["the preload module", null],
])("is wrong by what it is told, and jumps while the process runs: by %s", async (name, library) => {
  if (name === "libfaketime" && library === null) return console.info("skipped: libfaketime is not installed");
  const folder = await mkdtemp(join(tmpdir(), "skewed-clock-"));
  const clock = await skewedClock(library, join(folder, "skew"), HOUR);
  const child = spawn(process.execPath, ["--import", preload, "--eval", PROGRAM], {
    stdio: ["pipe", "pipe", "inherit", "ipc"],
    env: { ...process.env, ...clock.environment },
  });
  try {
    const first = await ask(child);
    expect(Math.abs(first.skewMs - HOUR)).toBeLessThan(SLACK);
    await clock.jump(-HOUR, child);
    await expect.poll(async () => Math.abs((await ask(child)).skewMs + HOUR), { timeout: 5_000 }).toBeLessThan(SLACK);
    const last = await ask(child);
    expect(last.monotonicMs - first.monotonicMs).toBeGreaterThan(0);
    expect(last.monotonicMs - first.monotonicMs).toBeLessThan(SLACK);
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
    if (child.pid !== undefined) await clock.clearAway(child.pid);
    await rm(folder, { recursive: true });
  }
  expect(existsSync(`/dev/shm/faketime_shm_${child.pid}`)).toBe(false);
});

async function ask(child: ChildProcess): Promise<{ readonly skewMs: number; readonly monotonicMs: number }> {
  if (child.stdout === null || child.stdin === null) throw new Error("expected pipes");
  const answer = once(child.stdout, "data");
  child.stdin.write("?");
  const [now = 0, constructed = 0, monotonicMs = 0] = String((await answer)[0])
    .split(" ")
    .map(Number);
  expect(Math.abs(constructed - now)).toBeLessThan(SLACK);
  return { skewMs: now - Date.now(), monotonicMs };
}
