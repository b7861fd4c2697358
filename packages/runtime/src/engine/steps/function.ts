import type { JournalRecord } from "../records.js";
import type { RunState } from "../state.js";
import type { SignalOp, TaskState } from "../task-state.js";
import { isBroughtOn } from "../task-state.js";
import { action } from "./action.js";
import type { StepKind } from "./step-kind.js";

/**
 * A function of the user's, run from its start in each attempt. What it saved on the way it gets again without doing it
 * again, so that it goes on from there after a crash, a failure, or a wait. While it waits for long it is suspended, and
 * nothing of it is in memory; what it waited for dispatches it anew. Signals are given to it here, also while it runs.
 */
export const func: StepKind = {
  begin: action.begin,
  proceed: ({ planned, step, state, now }) => {
    const { task } = step;
    const over = task === null ? [] : endedWaits(planned.name, task, state, now);
    if (over.length > 0) return over;
    if (step.forward.status !== "suspended") return [];
    return isBroughtOn(task, step.forward, now) ? [action.begin(planned, step)] : [];
  },
  attends: true,
};

/** In the order in which the waits began, each takes the signal of its name that came first. */
function endedWaits(step: string, task: TaskState, state: RunState, now: number): JournalRecord[] {
  const ended: JournalRecord[] = [];
  const taken = new Set<string>();
  for (const name of task.open) {
    const op = task.ops.get(name);
    if (op?.kind !== "signal") continue;
    const signal = signalFor(op, state, taken);
    if (signal !== undefined) {
      taken.add(signal);
      ended.push({ kind: "waited", step, name, signal });
    } else if (op.dueAt !== null && now >= op.dueAt) ended.push({ kind: "waited", step, name });
  }
  return ended;
}

/** One that came after the wait's time was up is not for it. */
function signalFor({ signal, dueAt }: SignalOp, { signals }: RunState, taken: ReadonlySet<string>): string | undefined {
  const deadline = dueAt ?? Number.POSITIVE_INFINITY;
  return signals.find(({ id, name, arrivedAt }) => name === signal && arrivedAt <= deadline && !taken.has(id))?.id;
}
