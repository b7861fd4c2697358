import type { Failure, JournalRecord } from "../engine/records.js";
import type { Append } from "../store/run-store.js";

/** Parks a run for an operator with why, and nothing else of it. `kept`: what of the messages it consumes is still wanted. */
export function stuckAppend(
  place: Pick<Append, "run" | "fence" | "seq" | "appendId">,
  error: Failure,
  consumed: readonly string[],
  kept: readonly JournalRecord[],
): Append {
  return {
    ...place,
    records: [...kept, { kind: "stuck", error }],
    change: { status: "stuck", failureReason: error },
    next: { kind: "park", delayMs: null },
    ...(consumed.length > 0 && { consumed }),
  };
}
