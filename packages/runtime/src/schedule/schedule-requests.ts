import type { JsonObject } from "../json.js";

/** What operators ask of a schedule. */
export interface ScheduleRequest {
  /** 1 to 500 characters; kept with the schedule while it is paused, and logged. */
  readonly reason: string;
  /** Who asks. */
  readonly actor: string;
}

export interface TriggerRequest extends ScheduleRequest {
  /** The same key twice is one run. Default: each call is another. */
  readonly idempotencyKey?: string;
  /** In the place of the schedule's own. */
  readonly input?: JsonObject;
}

export interface BackfillRange {
  /** The first and the last instant, ms since the epoch, both within the range. */
  readonly from: number;
  readonly to: number;
  /** Ticks at most, 1 to 1,000. Default 100. */
  readonly limit?: number;
}

export interface Backfill {
  /** Oldest first. `replayed`: the tick had the run before. */
  readonly runs: readonly { readonly tick: number; readonly run: string; readonly replayed: boolean }[];
  /** Where the next call begins; null: the range is done. */
  readonly next: number | null;
}
