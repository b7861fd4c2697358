import type { Failure, JournalRecord } from "../engine/records.js";
import type { RunState } from "../engine/state.js";
import type { Append } from "../store/run-store.js";

/** What goes with the row: messages that it consumes, what of them is still wanted, and what others are told of it. */
export interface WithStuck {
  readonly consumed: readonly string[];
  readonly kept: readonly JournalRecord[];
  readonly events: NonNullable<Append["events"]>;
}

/** Parks a run for an operator with why, and nothing else of it. */
export function stuckAppend(
  run: string,
  { fence, seq }: Pick<RunState, "fence" | "seq">,
  error: Failure,
  { consumed, kept, events }: WithStuck,
): Omit<Append, "appendId"> {
  return {
    ...{ run, fence, seq: seq + 1 },
    records: [...kept, { kind: "stuck", error }],
    change: { status: "stuck", failureReason: error },
    next: { kind: "park", delayMs: null },
    ...(consumed.length > 0 && { consumed }),
    ...(events.length > 0 && { events }),
  };
}
