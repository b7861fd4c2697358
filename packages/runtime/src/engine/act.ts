import type { Failure } from "./records.js";

/**
 * One act of a run: a step going forward, or its compensation. Both follow the same table; what is not in it cannot
 * happen, and a journal that says otherwise is refused. Live runs, recovery and simulation all go through it.
 */
export type ActStatus =
  | "idle"
  /** Dispatched by the present owner, no result yet. */
  | "running"
  /** Dispatched by an owner that is gone: it may have run. */
  | "interrupted"
  /** Between two attempts. */
  | "waiting"
  /** Begun, and nothing of it runs here: until a time comes, a signal, or the end of a child. */
  | "suspended"
  | "done"
  /** The participant said no. */
  | "refused"
  /** The last attempt failed. */
  | "failed"
  /** It need not run: its condition said so, or an operator. */
  | "skipped";

export type ActEvent = "dispatch" | "suspend" | "done" | "refuse" | "retry" | "fail" | "interrupt" | "resume" | "skip";

/** Where each event leads, from wherever it may come. */
const LEADS_TO: Readonly<Record<ActEvent, ActStatus>> = {
  ...{ dispatch: "running", suspend: "suspended", done: "done", refuse: "refused", retry: "waiting", fail: "failed" },
  ...{ interrupt: "interrupted", resume: "waiting", skip: "skipped" },
};

const ALLOWED: Readonly<Record<ActStatus, readonly ActEvent[]>> = {
  idle: ["dispatch", "suspend", "skip", "fail"],
  running: ["done", "refuse", "retry", "fail", "interrupt", "suspend"],
  interrupted: ["dispatch", "fail", "interrupt", "skip"],
  waiting: ["dispatch", "suspend", "skip", "fail"],
  suspended: ["done", "refuse", "retry", "fail", "skip", "dispatch"],
  done: [],
  refused: ["resume", "skip"],
  failed: ["resume", "skip"],
  skipped: [],
};

export interface Act {
  status: ActStatus;
  /** Attempts dispatched so far. */
  attempt: number;
  /** Attempts that ended in a failure since the start or the last resume; interrupted ones do not count. */
  failures: number;
  /** Sticky: some attempt may have had its effect without a result reaching us. */
  mayHaveRun: boolean;
  startedAt: number | null;
  endedAt: number | null;
  /** When a waiting or suspended act is due, by the store's clock; null while it waits for something else. */
  dueAt: number | null;
  /** The run that a suspended act waits for; `undoes`: that run undoes the child. */
  child: { readonly run: string; readonly undoes: boolean } | null;
  error: Failure | null;
}

export function newAct(): Act {
  return {
    status: "idle",
    attempt: 0,
    failures: 0,
    mayHaveRun: false,
    startedAt: null,
    endedAt: null,
    dueAt: null,
    child: null,
    error: null,
  };
}

export function transition(act: Act, event: ActEvent, where: string): void {
  if (!ALLOWED[act.status].includes(event)) throw new IllegalEventError(act.status, event, where);
  follow(act, event);
}

/** Whatever was before: for showing a journal that cannot be judged, because its definition is gone. */
export function follow(act: Act, event: ActEvent): void {
  act.status = LEADS_TO[event];
}

/** A journal that no run of this version can have written. */
class IllegalEventError extends Error {
  override readonly name = "IllegalEventError";
  constructor(status: ActStatus, event: ActEvent, where: string) {
    const allowed = ALLOWED[status].join(", ") || "nothing";
    super(`expected one of ${allowed} after "${status}" in ${where}, got ${event}`);
  }
}
