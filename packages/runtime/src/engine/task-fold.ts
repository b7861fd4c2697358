import type { Json } from "../json.js";
import { noteOutcome } from "./crashes.js";
import type { JournalRecord } from "./records.js";
import { bytesOf, takeSignal } from "./signals.js";
import { type RunState, type StepState, stepOf } from "./state.js";
import { newTaskState, type TaskState } from "./task-state.js";

type Of<Kind extends JournalRecord["kind"]> = JournalRecord & { readonly kind: Kind };

/** How what a function says on its way changes the run's state. */
export function foldTask(
  state: RunState,
  record: Of<"saved" | "waits" | "waited" | "patched" | "progressed">,
  at: number,
): void {
  const step = stepOf(state, record.step);
  step.task ??= newTaskState();
  const { task } = step;
  switch (record.kind) {
    case "saved":
      save(task, record);
      return survive(state, step);
    case "waits":
      beginWait(task, record, at);
      return survive(state, step);
    case "waited": {
      const { signal } = record;
      return endWait(task, record.name, signal === undefined ? undefined : { payload: takeSignal(state, signal) });
    }
    case "patched":
      task.patches.set(record.patch, record.isTaken);
      return;
    case "progressed":
      task.progress = record.progress;
      return;
  }
}

/** It got on: its attempts are counted from here, and its process has survived it. */
function survive(state: RunState, { forward }: StepState): void {
  forward.failures = 0;
  if (state.running === 1 && forward.status === "running") noteOutcome(state.crashes, false);
}

function save(task: TaskState, record: Of<"saved">): void {
  const { name, place = null, output = null, error = null, refused = false } = record;
  task.ops.set(name, { kind: "checkpoint", place, output, error, isRefusal: refused });
  task.savedBytes += bytesOf(output);
  if (place !== null) task.places.set(place, name);
}

function beginWait(task: TaskState, record: Of<"waits">, at: number): void {
  const { name, place = null, signal } = record;
  const dueAt = dueAtOf(record, at);
  if (signal === undefined) task.ops.set(name, { kind: "sleep", place, dueAt: dueAt ?? at });
  else {
    task.ops.set(name, { kind: "signal", place, signal, dueAt, taken: null });
    task.open.add(name);
  }
  if (place !== null) task.places.set(place, name);
}

/** The row of the wait turns out to have been written at `at`. */
export function correctWait(state: RunState, record: Of<"waits">, at: number): void {
  const op = stepOf(state, record.step).task?.ops.get(record.name);
  const dueAt = dueAtOf(record, at);
  if (op?.kind === "sleep") op.dueAt = dueAt ?? at;
  if (op?.kind === "signal") op.dueAt = dueAt;
}

function endWait(task: TaskState, name: string, taken: { readonly payload: Json } | undefined): void {
  const op = task.ops.get(name);
  if (op?.kind !== "signal") throw new Error(`expected a wait for a signal named "${name}" to end, got none`);
  op.taken = taken ?? "timed-out";
  task.open.delete(name);
}

function dueAtOf({ until, afterMs }: Of<"waits">, at: number): number | null {
  return until ?? (afterMs === undefined ? null : at + afterMs);
}
