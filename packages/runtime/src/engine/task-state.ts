import type { Json } from "../json.js";
import type { Act } from "./act.js";
import type { Failure } from "./records.js";

/** What a function that is a step has saved, and what it waits for. Of all its executions in the present round. */
export interface TaskState {
  /** By name. */
  readonly ops: Map<string, TaskOp>;
  /** Names by the place at which the function did it; of what it did one after the other. */
  readonly places: Map<number, string>;
  /** Names of waits for a signal that are not over. */
  readonly open: Set<string>;
  /** When it is suspended: the waits of which each brings it on. */
  awaits: readonly string[];
  /** By their ids. */
  readonly patches: Map<string, boolean>;
  /** Of all that is saved, as JSON. */
  savedBytes: number;
  /** What it last told; null: nothing. */
  progress: Json;
}

export type TaskOp = SavedOp | TimerOp | SignalOp;

export interface SavedOp {
  readonly kind: "checkpoint";
  readonly place: number | null;
  readonly output: Json;
  readonly error: Failure | null;
  readonly isRefusal: boolean;
}

export interface TimerOp {
  readonly kind: "sleep";
  readonly place: number | null;
  /** By the store's clock. */
  dueAt: number;
}

export interface SignalOp {
  readonly kind: "signal";
  readonly place: number | null;
  readonly signal: string;
  /** Null: it waits for as long as the run may go on. */
  dueAt: number | null;
  /** Null: it still waits. Null in it: its time was up. */
  taken: { readonly payload: Json } | "timed-out" | null;
}

export function newTaskState(): TaskState {
  return {
    ...{ ops: new Map(), places: new Map(), open: new Set(), patches: new Map() },
    ...{ awaits: [], savedBytes: 0, progress: null },
  };
}

/** What it waited for is there. */
export function isBroughtOn(task: TaskState | null, { dueAt }: Pick<Act, "dueAt">, now: number): boolean {
  if (dueAt !== null && now >= dueAt) return true;
  return task?.awaits.some((name) => !task.open.has(name)) ?? false;
}

/** When the first of its waits for signals is given up; infinite: none is. */
export function nextTimeout({ open, ops }: TaskState, now: number): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (const name of open) {
    const op = ops.get(name);
    if (op?.kind === "signal" && op.dueAt !== null && op.dueAt > now) earliest = Math.min(earliest, op.dueAt);
  }
  return earliest;
}
