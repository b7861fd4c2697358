import type { Runs } from "../../application/ports/runs.js";

/** Runs are advanced here, or this instance stands by; the remark says which, and which runs nobody here can advance. */
export function runsCheck(runs: Pick<Runs, "health">): () => Promise<string> {
  return async () => {
    const { ok, store, worker, detail } = await runs.health();
    if (!ok || store !== "up") throw new Error(detail ?? `the worker is ${worker}`);
    return detail === null ? worker : `${worker}; ${detail}`;
  };
}
