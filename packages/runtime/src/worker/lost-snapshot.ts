import { RuntimeError } from "../errors.js";

/** What a step hears that asked for a snapshot which will not be written. */
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
