import type { BatchProgress } from "../store/batch-store.js";
import type { ProgressView } from "./views.js";

export function viewOfProgress({ done, failed, skipped, total, rate, status }: BatchProgress): ProgressView {
  const settled = done + failed + skipped;
  const isOver = status === "ended";
  const left = total === null ? null : Math.max(0, total - settled);
  const leftMs = left === null || isOver ? null : left === 0 ? 0 : rate === null || rate <= 0 ? null : (left / rate) * 1_000;
  return { done, failed, skipped, total, rate: isOver ? null : rate, leftMs: leftMs === null ? null : Math.ceil(leftMs) };
}
