import { ON_TIME_MS, type ScheduleRow } from "../store/schedule-store.js";
import type { CronTimes } from "./cron.js";

/** What a schedule has to do next, by its row and the store's clock. Pure. */
export type DueTick =
  /** Nothing before that instant; null: ever. */
  | { readonly kind: "later"; readonly at: number | null }
  /** `missed`: ticks before it that get no run; of more than 1,000 that many are counted. */
  | { readonly kind: "tick"; readonly at: number; readonly how: "on-time" | "late"; readonly missed: number }
  /** It is too late for all of them, of which this is the newest. */
  | { readonly kind: "missed"; readonly at: number; readonly missed: number };

const MOST_COUNTED = 1_000;

export function dueTick(
  times: CronTimes,
  row: Pick<ScheduleRow, "since" | "lastTick" | "catchUp">,
  now: number,
): DueTick {
  const last = Math.max(row.since, row.lastTick ?? row.since);
  const next = times.after(last);
  if (next === null || next > now) return { kind: "later", at: next };
  const kept = times.newest(last, now, Math.max(1, row.catchUp));
  const at = kept[0] ?? next;
  const missed = at === next ? 0 : times.between(last, at - 1, MOST_COUNTED).length;
  const isOnTime = now - at < ON_TIME_MS;
  if (!isOnTime && row.catchUp === 0) return { kind: "missed", at, missed };
  return { kind: "tick", at, how: isOnTime ? "on-time" : "late", missed };
}
