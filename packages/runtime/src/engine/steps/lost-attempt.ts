import type { JournalRecord } from "../records.js";
import type { StepState } from "../state.js";

/** With recovery off a crash uses up the only attempt. */
export function lostAttempt({ name, forward: { attempt } }: StepState): JournalRecord {
  const error = {
    code: "interrupted",
    message: `the instance that performed step "${name}" died, and recovery is off`,
  };
  return { kind: "failed", step: name, direction: "forward", attempt, error, refused: false, mayHaveRun: true };
}
