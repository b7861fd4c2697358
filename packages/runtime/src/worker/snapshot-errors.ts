import { RuntimeError } from "../errors.js";

/** Why a step that asked for a snapshot did not get it. */

export function leftBefore(): RuntimeError {
  return new RuntimeError(
    "lease-lost",
    "expected to own the run until its snapshot is written, got a run that left this instance",
  );
}

export function refused(reason: string): RuntimeError {
  return new RuntimeError(
    "input-invalid",
    `expected a snapshot that the store takes, got one in a row it refused: ${reason}`,
  );
}

export function withinTransaction(): RuntimeError {
  return new RuntimeError(
    "input-invalid",
    "expected a checkpoint before or after the step's transaction, got one within it, which no other row may interrupt",
  );
}
