import type { Json, JsonObject } from "../json.js";

/**
 * The journal: an append-only list of rows per run, each row an array of records written all or nothing. Its key
 * (run, seq) is also the fence: whoever takes a run over appends a `claimed` row at the next seq, so that an append
 * of the previous owner finds its seq taken and is told that the lease is lost.
 */
export interface JournalRow {
  /** Version of the record format. */
  readonly v: 1;
  readonly run: string;
  /** 1, 2, 3, ... without gaps. */
  readonly seq: number;
  readonly fence: number;
  /** Chosen by the writer: the same row sent again is recognized by it. */
  readonly appendId: string;
  /** Store's clock, ms since the epoch. */
  readonly at: number;
  readonly records: readonly JournalRecord[];
}

export type Direction = "forward" | "compensate";

/** What a caller or a participant may read about a failure. Never a stack. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  /** HTTP status of the participant's answer, if there was one. */
  readonly status?: number;
}

/**
 * Why a run stopped going forward. `compensate`, `retry`, `cancel`, `abandon`: at an operator's wish, `abandon` where what it began has to end
 * first; `undo`: it undoes another one.
 */
export type UnwindCause =
  | "step-failed"
  | "step-refused"
  | "run-timeout"
  | "cancel"
  | "compensate"
  | "retry"
  | "undo"
  | "abandon";

/** Who asked, why, and the id of the request, by which it is recognized when it comes again. */
interface Requested {
  readonly actor: string;
  readonly reason: string;
  readonly request: string;
}

export type JournalRecord =
  /** A worker took the run over from another one, or from the dead. */
  | {
      readonly kind: "claimed";
      readonly worker: string;
      /** The former owner's lease ran out: it may have died of this run. Left out when it handed the run over. */
      readonly crashed?: true;
    }
  /** Written before the step is performed: from here on it may have run. `attempt` counts from 1 in its round. */
  | {
      readonly kind: "dispatched";
      readonly step: string;
      readonly direction: Direction;
      readonly attempt: number;
      readonly round: number;
    }
  /** The step ran; `context` is what it changed in the run's context, on the way and with its answer. */
  | {
      readonly kind: "completed";
      readonly step: string;
      readonly attempt: number;
      readonly output: Json;
      readonly context?: ContextDelta;
    }
  /**
   * An attempt ended without a result. `mayHaveRun` is sticky for the step. `retryAfterMs` is set when it will be tried
   * again, counted from the row's `at`; without it the attempt was the last.
   */
  | {
      readonly kind: "failed";
      readonly step: string;
      readonly direction: Direction;
      readonly attempt: number;
      readonly error: Failure;
      readonly refused: boolean;
      readonly mayHaveRun: boolean;
      readonly retryAfterMs?: number;
    }
  | { readonly kind: "compensated"; readonly step: string; readonly attempt: number }
  /**
   * Its condition said no: it does not run, its output is null, and there is nothing to undo. `timedOut`: it waited for a signal,
   * which did not come in time, and the saga goes on without it.
   */
  | { readonly kind: "skipped"; readonly step: string; readonly timedOut?: true }
  /** What the step's expressions gave, once and for all its attempts: `input` is what it is sent, `value` when it wakes. */
  | { readonly kind: "evaluated"; readonly step: string; readonly input?: Json; readonly value?: Json }
  /** The list that the step maps over. Each item is a step of its own, `items[<index>]/<step>`. */
  | { readonly kind: "expanded"; readonly step: string; readonly items: readonly Json[] }
  /** All items have completed: their outputs, in order, are the step's. */
  | { readonly kind: "gathered"; readonly step: string; readonly attempt: number }
  /**
   * The step has begun and needs nobody until its time comes, which is `afterMs` after the row's `at`, or at `until`, or
   * until what it waits for is there: a signal, or the end of the run `child`.
   */
  | {
      readonly kind: "suspended";
      readonly step: string;
      /** Left out: forward. */
      readonly direction?: "compensate";
      readonly attempt: number;
      readonly child?: string;
      /** That run undoes the child. */
      readonly undoes?: true;
      readonly afterMs?: number;
      /** ms since the epoch, by the store's clock. */
      readonly until?: number;
      /** Of a function: the waits of which each brings it on. */
      readonly awaits?: readonly string[];
    }
  /**
   * A function saved what a piece of its work gave, or the error that it went on from, under this name: when it is run again, it gets
   * that without the work. `place`: its number among what the function did, as long as that was one thing after the other.
   */
  | {
      readonly kind: "saved";
      readonly step: string;
      readonly name: string;
      readonly place?: number;
      readonly output?: Json;
      readonly error?: Failure;
      /** The error is a refusal. */
      readonly refused?: true;
    }
  /** A function waits under this name: for a time, or for a signal and perhaps no longer than a time. As `suspended`. */
  | {
      readonly kind: "waits";
      readonly step: string;
      readonly name: string;
      readonly place?: number;
      readonly signal?: string;
      readonly afterMs?: number;
      readonly until?: number;
    }
  /** A function's wait for a signal is over: with that signal, or because its time is up. */
  | { readonly kind: "waited"; readonly step: string; readonly name: string; readonly signal?: string }
  /** Whether a function takes the new way at this place: once and for all its executions. */
  | { readonly kind: "patched"; readonly step: string; readonly patch: string; readonly isTaken: boolean }
  /** How far an attempt says it is, with a sign of life: the next one may go on from there. */
  | { readonly kind: "heartbeat"; readonly step: string; readonly attempt: number; readonly details?: Json }
  /** How far a function says it is. */
  | { readonly kind: "progressed"; readonly step: string; readonly progress: Json }
  /** A signal came. It is kept until a step that waits for its name takes it. `arrivedAt`: by the store's clock. */
  | {
      readonly kind: "signaled";
      readonly id: string;
      readonly name: string;
      readonly payload: Json;
      readonly actor: string;
      readonly arrivedAt: number;
    }
  /** A signal came, and the run keeps as many as it may. */
  | {
      readonly kind: "signal-refused";
      readonly id: string;
      readonly name: string;
      readonly actor: string;
      readonly reason: string;
    }
  /** The step took the signal: its payload is the step's output. */
  | { readonly kind: "received"; readonly step: string; readonly attempt: number; readonly signal: string }
  /** An operator says the compensation need not run (any more). */
  | ({ readonly kind: "compensation-skipped"; readonly step: string } & Requested)
  /** An operator says the step, which is past the pivot and does not succeed, need not run: its output is null. */
  | ({ readonly kind: "step-skipped"; readonly step: string } & Requested)
  /**
   * The run stops going forward. `compensate: false`: nothing is undone, it ends `failed` (strategy `retry`, recovery off, or abandoned). With
   * who asked and why, when it was abandoned.
   */
  | ({
      readonly kind: "unwinding";
      readonly cause: UnwindCause;
      readonly compensate: boolean;
      readonly step?: string;
      readonly error: Failure;
    } & Partial<Requested>)
  /** The run waits for an operator. `unit`: one of a choreographed run does, and with it the whole. */
  | { readonly kind: "stuck"; readonly step?: string; readonly unit?: string; readonly error: Failure }
  /** Nothing more is dispatched until an operator acts; attempts under way come to their end. */
  | ({ readonly kind: "paused" } & Requested)
  | ({ readonly kind: "resumed"; readonly unit?: string } & Requested)
  | ({ readonly kind: "cancel-requested" } & Requested)
  | ({ readonly kind: "compensate-requested" } & Requested)
  /**
   * The run goes forward again. With a step: once everything from its wave on, which is `wave`, is undone. See rounds.ts.
   */
  | ({ readonly kind: "retry-requested"; readonly step?: string; readonly wave?: number } & Requested)
  /** Everything that a retry wanted undone is undone: forward again, in a new round. */
  | { readonly kind: "forward-again" }
  /** An operator's verb that the state of the run no longer allowed when it arrived; `reason` is the state's. */
  | ({ readonly kind: "verb-refused"; readonly verb: string } & Requested)
  /**
   * The run is a suspect (see crashes.ts), and from here on the only one that this worker advances, until one of its
   * attempts ends; `alone`: the only run of all.
   */
  | { readonly kind: "isolated"; readonly alone: boolean }
  /** A run that was started by this one ended. Kept until the step that waits for it takes it. */
  | {
      readonly kind: "child-ended";
      readonly child: string;
      readonly status: EndStatus;
      readonly output?: Json;
      readonly error?: Failure;
    }
  /** The step, or its compensation, takes the end of the run it waited for. */
  | { readonly kind: "joined"; readonly step: string; readonly direction: Direction; readonly child: string }
  /** The run undoes another one, which ended: what that one did, so that this one can go back through it. Always first. */
  | {
      readonly kind: "inherited";
      readonly run: string;
      /** The last fence of that run. */
      readonly fence: number;
      readonly error: Failure;
      readonly context: JsonObject;
      /** Of stages before it, when that run was a unit of a choreographed one. */
      readonly outputs?: Readonly<Record<string, Json>>;
      readonly steps: readonly InheritedStep[];
    }
  /** It is a unit of a choreographed run: what came with the event that started it. Always first. */
  | {
      readonly kind: "entered";
      readonly run: string;
      readonly outputs: Readonly<Record<string, Json>>;
      readonly context: JsonObject;
    }
  /** A choreographed run is to be undone; its units were told so. What became of it, they say. */
  | { readonly kind: "abort-requested"; readonly cause: UnwindCause; readonly error: Failure }
  /** An operator had the context be again what it was in that checkpoint. */
  | ({
      readonly kind: "context-restored";
      readonly fence: number;
      readonly n: number;
      readonly context: JsonObject;
    } & Requested)
  /** A snapshot of the context was written in the same append; `n` counts from 1. */
  | { readonly kind: "checkpointed"; readonly n: number; readonly strategy: string }
  /** With who asked and why, when it was abandoned. */
  | ({
      readonly kind: "finished";
      readonly status: EndStatus;
      readonly output?: Json;
      readonly error?: Failure;
    } & Partial<Requested>);

/** A step that completed, or may have run, and was not undone. */
export interface InheritedStep {
  readonly step: string;
  /** Left out: the first. */
  readonly round?: number;
  /** `nothing`: only what is left over of runs it started is to be undone. */
  readonly outcome: "completed" | "unknown" | "nothing";
  readonly output?: Json;
  /** What its input expression made. */
  readonly input?: Json;
  /** The run it started. */
  readonly child?: string;
  /** Runs it started before, which failed. */
  readonly leftovers?: readonly string[];
  /** The list it mapped over; its items follow. */
  readonly items?: readonly Json[];
}

/** New values of top-level keys. A nested object is one value, as in a session. */
export interface ContextDelta {
  readonly set?: JsonObject;
  readonly unset?: readonly string[];
}

/** `compensated`: undone after a failure; `cancelled`: undone at somebody's wish; `failed`: ended with nothing undone, or abandoned. */
export type EndStatus = "completed" | "compensated" | "failed" | "cancelled";
export type ParkedStatus = "stuck" | "paused";
/** `waiting`: nobody owns it until its next attempt is due. `stuck`, `paused`: until an operator acts. */
export type RunStatus = "pending" | "running" | "waiting" | "compensating" | EndStatus | ParkedStatus;

/** How far the undoing of a run has come; a field of its own beside `status`. `incomplete`: a part was skipped or given up. */
export type RollbackStatus = "none" | "running" | "done" | "incomplete";

/** Statuses that no run ever leaves. */
export const END_STATUSES: readonly RunStatus[] = ["completed", "compensated", "failed", "cancelled"];

export function isEnded(status: RunStatus): status is EndStatus {
  return END_STATUSES.includes(status);
}
