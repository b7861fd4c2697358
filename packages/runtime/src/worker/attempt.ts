import type { Direction } from "../engine/records.js";
import type { StepOutcome, Suspension } from "../engine/step-outcome.js";

/** One attempt at one act, as the journal says it was dispatched. */
export interface Attempt {
  readonly step: string;
  readonly direction: Direction;
  readonly attempt: number;
  readonly round: number;
}

export type Outcome = StepOutcome | Suspension;
