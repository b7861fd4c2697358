import type { RunPlan } from "../../engine/plan.js";
import type { JournalRow } from "../../engine/records.js";
import type { RunState } from "../../engine/state.js";

/** What is known of one run from its journal alone. */
export interface WatchedRun {
  readonly id: string;
  readonly plan: RunPlan;
  readonly rows: JournalRow[];
  readonly state: RunState;
}
