import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Workplace {
  /** Empty at first and removed at the end, on the disk that the servers use. */
  readonly folder: string;
  /** Aborted when a signal stops the bench: whoever started something then stops it. */
  readonly stopping: AbortSignal;
}

/** Where `--profile` writes to. */
export const PROFILES = fileURLToPath(new URL("../../out/profiles/", import.meta.url));

/** Works in a folder of its own, which is removed also after a signal. */
export async function inWorkplace<T>(work: (workplace: Workplace) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  const stopping = new AbortController();
  const onSignal = (): void => stopping.abort(new Error("stopped by a signal"));
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  try {
    return await work({ folder, stopping: stopping.signal });
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
    rmSync(folder, { recursive: true, force: true });
  }
}
