import type { JournalRecord } from "./records.js";
import type { RunState } from "./state.js";

/** The run waits for an operator; a choreographed one as long as any of its units does. */
export function stick(state: RunState, { step, unit, error }: JournalRecord & { kind: "stuck" }): void {
  state.stuck = { step: step ?? null, error };
  if (unit === undefined) return;
  state.stuckUnits ??= new Map();
  state.stuckUnits.set(unit, state.stuck);
}

/** Unless another unit of it is stuck as well. */
export function unstick(state: RunState): void {
  state.stuck = null;
  for (const stuck of state.stuckUnits?.values() ?? []) state.stuck = stuck;
}
