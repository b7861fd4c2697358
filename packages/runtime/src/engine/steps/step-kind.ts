import type { Json } from "../../json.js";
import type { PlannedStep } from "../plan.js";
import type { JournalRecord } from "../records.js";
import type { RunState, StepState } from "../state.js";

/**
 * What the core asks of a kind of step while the run goes forward; one file per kind, all of them in index.ts. Pure: the
 * step's state is what its journal says, and the records returned are folded before anything is asked again.
 */
export interface StepKind {
  /** Begins the step, or its next attempt. Asked when it is due and its expressions have been evaluated. */
  begin(planned: PlannedStep, step: StepState): JournalRecord;
  /** Ends a suspended step, or moves it on; null while what it waits for is not there. Asked in each decision. */
  proceed(planned: PlannedStep, step: StepState, state: RunState, now: number): JournalRecord | null;
  /** Null when the value of its expression will do, else a sentence on what was expected. Without it, it has none. */
  refusesValue?(value: Json): string | null;
}
