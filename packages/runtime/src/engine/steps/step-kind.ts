import type { Json } from "../../json.js";
import type { PlannedStep, RunPlan } from "../plan.js";
import type { JournalRecord } from "../records.js";
import type { RunState, StepState } from "../state.js";

/** What is asked, of which step, and when by the store's clock. */
export interface Turn {
  readonly plan: RunPlan;
  readonly planned: PlannedStep;
  readonly step: StepState;
  readonly state: RunState;
  readonly now: number;
}

/**
 * What the core asks of a kind of step while the run goes forward; one file per kind, all of them in index.ts. Pure: the
 * step's state is what its journal says, and the records returned are folded before anything is asked again.
 */
export interface StepKind {
  /** Begins the step, or its next attempt. Asked when it is due and its expressions have been evaluated. */
  begin(planned: PlannedStep, step: StepState): JournalRecord;
  /** Ends a suspended step, or moves it on; nothing while what it waits for is not there. Asked in each decision. */
  proceed(turn: Turn): readonly JournalRecord[];
  /** The same for a suspended compensation. Without it, compensations of this kind are never suspended. */
  proceedUndo?(turn: Turn): readonly JournalRecord[];
  /** Parts of a suspended step whose expressions have to be evaluated before it can be moved on. Default: none. */
  unevaluated?(turn: Turn): readonly string[];
  /** It is asked to proceed also while an attempt of it is under way. Default: only while it is suspended. */
  readonly attends?: true;
  /** What it began must have ended before its run does, also when nothing is undone: it is compensated then, too. */
  readonly endsBeforeRun?: true;
  /** Null when the value of its expression will do, else a sentence on what was expected. Without it, it has none. */
  refusesValue?(planned: PlannedStep, value: Json): string | null;
}
