import { expand } from "./map-state.js";
import type { RunPlan } from "./plan.js";
import type { JournalRecord } from "./records.js";
import { type RunState, stepOf } from "./state.js";

/** As if this run had done what the other one did, and were to undo it. */
export function inherit(
  plan: RunPlan | null,
  state: RunState,
  record: JournalRecord & { kind: "inherited" },
  at: number,
): void {
  state.origin = { run: record.run, fence: record.fence };
  state.context = record.context;
  Object.assign(state.outputs, record.outputs);
  for (const each of record.steps) {
    const { step: name, round = 1, outcome, output = null, input, child = null, leftovers = [], items } = each;
    const step = stepOf(state, name);
    step.round = round;
    if (items !== undefined) expand(state, step, items);
    step.child = child;
    step.leftovers = leftovers;
    const done = outcome === "completed";
    const mayHaveRun = outcome === "unknown";
    Object.assign(step.forward, { status: done ? "done" : "failed", attempt: 1, mayHaveRun, endedAt: at });
    if (input !== undefined) step.evaluated = { input };
    if (!done) continue;
    step.output = output;
    if (step.item === null) state.outputs[name] = output;
  }
  state.wave = plan?.waves.length ?? 0;
  state.phase = "unwinding";
  state.unwind = { cause: "undo", compensate: true, error: record.error, step: null };
}
