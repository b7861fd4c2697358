import { isEnded } from "../../engine/records.js";
import type { StoredRun } from "../../stores/memory/world.js";

/**
 * When the first of the runs is due, ms since the epoch, if none of them needs anybody before; infinite: none is ever due. Null: one is
 * being driven, or is to be, or something else than its own time may move it.
 */
export function quietUntil(runs: readonly StoredRun[], now: number): number | null {
  let next = Number.POSITIVE_INFINITY;
  for (const { status, owner, wakeAt, type } of runs) {
    if (isEnded(status)) continue;
    if (owner !== null || (wakeAt !== null && wakeAt <= now)) return null;
    // Its chunks are worked, or come to their end, while the run itself waits for nobody.
    if (type === "batch" && (status === "waiting" || status === "compensating")) return null;
    next = Math.min(next, wakeAt ?? Number.POSITIVE_INFINITY);
  }
  return next;
}
