import type { BatchProgress } from "../store/batch-store.js";
import type { RunRow } from "../store/run-store.js";
import type { ProgressView } from "./views.js";

/** Nothing is done for a run that is parked or has ended: it has no rate, and nobody knows how long it will take. */
export function viewOfProgress({ status }: RunRow, progress: BatchProgress): ProgressView {
  const { done, failed, skipped, total } = progress;
  const goesOn = (status === "running" || status === "waiting") && progress.status === "open";
  const rate = goesOn ? progress.rate : null;
  const left = total === null ? null : Math.max(0, total - done - failed - skipped);
  const leftMs = left === null || rate === null || rate <= 0 ? null : Math.ceil((left / rate) * 1_000);
  return { done, failed, skipped, total, rate, leftMs };
}
