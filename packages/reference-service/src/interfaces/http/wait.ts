import type { Runs, RunView } from "../../application/ports/runs.js";

/** The run at its end, or as it is after `waitMs`; undefined when the service begins to stop before. */
export async function waitForRun(
  runs: Runs,
  id: string,
  waitMs: number,
  stopping: AbortSignal,
): Promise<RunView | undefined> {
  if (stopping.aborted) return undefined;
  let stop: (() => void) | undefined;
  const stopped = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
    stopping.addEventListener("abort", stop, { once: true });
  });
  try {
    const run = runs.wait(id, waitMs);
    // When the service stops first, nobody awaits the other one any more.
    run.catch(() => undefined);
    return await Promise.race([run, stopped]);
  } finally {
    if (stop !== undefined) stopping.removeEventListener("abort", stop);
  }
}
