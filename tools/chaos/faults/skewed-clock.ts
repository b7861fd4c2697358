import type { ChildProcess } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * A wrong wall clock for one instance, which may jump while it runs. With Debian's libfaketime all of the process sees it;
 * without, what JavaScript calls `Date` does (preload.mjs). The monotonic clock, which drives timers, stays as it is.
 */
export interface SkewedClock {
  readonly environment: Readonly<Record<string, string>>;
  jump(skewMs: number, child: ChildProcess | null): Promise<void>;
  /** What the library leaves of a process that was killed. */
  clearAway(pid: number): Promise<void>;
}

/** The library, if it is installed. */
export function findLibfaketime(): string | null {
  const root = "/usr/lib";
  const folders = existsSync(root) ? readdirSync(root).filter((name) => name.endsWith("-linux-gnu")) : [];
  return folders.map((name) => join(root, name, "faketime/libfaketime.so.1")).find((file) => existsSync(file)) ?? null;
}

/** `file`: where the library looks how wrong the clock is; owned by the caller. */
export async function skewedClock(library: string | null, file: string, skewMs: number): Promise<SkewedClock> {
  if (library === null) {
    const environment: Record<string, string> = { CHAOS_SKEW_MS: String(skewMs) };
    return {
      environment,
      jump: async (to, child) => {
        environment.CHAOS_SKEW_MS = String(to);
        if (child?.connected) child.send({ skewMs: to });
      },
      clearAway: async () => {},
    };
  }
  const write = (ms: number): Promise<void> => writeFile(file, `${ms < 0 ? "" : "+"}${(ms / 1_000).toFixed(3)}\n`);
  await write(skewMs);
  return {
    environment: {
      ...{ LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_CACHE_DURATION: "1", NO_FAKE_STAT: "1" },
      ...{ FAKETIME_DONT_FAKE_MONOTONIC: "1", DONT_FAKE_MONOTONIC: "1" },
    },
    jump: write,
    async clearAway(pid) {
      for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`])
        await rm(join("/dev/shm", name), { force: true });
    },
  };
}
