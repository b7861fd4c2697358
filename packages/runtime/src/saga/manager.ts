import type { JournalRow, RunStatus } from "../engine/records.js";
import type { Json } from "../json.js";
import type { DefinitionView, InstanceView, RunEvent, RunSummary, RunView } from "../operator/views.js";
import type { Checkpoint } from "../store/run-store.js";

/**
 * Starts sagas, answers for their runs, and owns the worker that executes them in this process. All methods but
 * `definitions` throw `store-unavailable` when the store does not answer.
 */
export interface SagaManager {
  /** Opens the store, starts the worker. Twice is once. Errors: `store-incompatible`, `runtime-stopped` (after close). */
  open(): Promise<void>;
  /** Lets attempts under way finish for up to `graceMs` (default 10,000), then hands the runs back. Twice is once. */
  close(graceMs?: number): Promise<void>;

  /**
   * Creates a run. The same key gives the same run. Errors: `definition-unknown`, `input-invalid`, `payload-too-large`,
   * `idempotency-key-reused` (other input), `feature-unavailable` (a batch), `overloaded`, `runtime-stopped` (before open or
   * after close).
   */
  start(definition: string, input: Json, options?: StartOptions): Promise<StartedRun>;
  /** The run once it ended, or its current view after `timeoutMs`; a stuck run has not ended. Error: `run-not-found`. */
  wait(id: string, timeoutMs: number): Promise<RunView>;
  /** Error: `run-not-found`. */
  get(id: string): Promise<RunView>;
  /** Newest first. */
  list(query: ListRuns): Promise<RunListPage>;
  /** All rows, oldest first. Error: `run-not-found`. */
  journal(id: string): Promise<readonly JournalRow[]>;
  /** Newest first, at most `checkpoint.keep`. Error: `run-not-found`. */
  checkpoints(id: string): Promise<readonly Checkpoint[]>;
  /** Every row of the run from the first one on, as it is written, until the run ends or `signal` aborts. Error: `run-not-found`. */
  watch(id: string, signal: AbortSignal): AsyncIterable<RunEvent>;

  /**
   * Asks for something to be done to a run; takes effect when its owner reads it. Errors: `run-not-found`,
   * `verb-forbidden` (the state forbids it), `input-invalid` (no such verb, no reason), `feature-unavailable` (a later verb).
   */
  act(id: string, verb: RunVerb | LaterVerb, request: VerbRequest): Promise<void>;

  /**
   * Sends a signal to a run, for its steps that wait for that name; kept when it comes early. Resolves when the store has it.
   * Errors: `run-not-found`, `run-ended`, `too-many-signals` (1,000 or 1 MiB of them are kept already), `input-invalid` (a bad
   * name, a payload that is not JSON), `payload-too-large` (1 MiB).
   */
  signal(id: string, name: string, payload: Json, request: SignalRequest): Promise<void>;

  /** The newest version of each, as registered here. */
  definitions(): readonly DefinitionView[];
  /** Processes that work on this store, also recently dead ones. */
  instances(): Promise<readonly InstanceView[]>;
  /** Never throws: a store that does not answer, or takes nothing, is `down`. */
  health(): Promise<SagaHealth>;
  metrics(): Promise<SagaMetrics>;
}

/** `cancel` before the pivot; `resume` a stuck run; `skip` its failed compensations; `abandon` it as it is. */
export type RunVerb = "cancel" | "resume" | "skip" | "abandon";
/** Verbs of the contract that this version does not have yet. */
export type LaterVerb = "pause" | "retry" | "compensate";

export interface VerbRequest {
  /** 1 to 500 characters; journaled. */
  readonly reason: string;
  /** Who asks; journaled. */
  readonly actor: string;
  /** The same key twice is one request. */
  readonly idempotencyKey?: string;
}

export interface SignalRequest {
  /** Who sends it; journaled. */
  readonly actor: string;
  /** The same key twice, for one run and name, is one signal. */
  readonly idempotencyKey?: string;
}

export interface StartOptions {
  /** Scoped to tenant and definition, kept as long as the run. Default: none, each start is a new run. */
  readonly idempotencyKey?: string;
  /** The login session on whose behalf it runs; only noted. */
  readonly sessionId?: string;
  /** A name of the caller's own, such as an order number; only noted. */
  readonly businessKey?: string;
  /** Default `default`. */
  readonly tenant?: string;
}

export interface StartedRun {
  readonly id: string;
  readonly status: RunStatus;
  /** True when the key had started it before. */
  readonly replayed: boolean;
}

export interface ListRuns {
  readonly status?: readonly RunStatus[];
  readonly definition?: string;
  /** ms since the epoch. */
  readonly since?: number;
  readonly sessionId?: string;
  /** Default 50, at most 200. */
  readonly limit?: number;
  readonly cursor?: string;
}

export interface RunListPage {
  /** Newest first. */
  readonly items: readonly RunSummary[];
  readonly nextCursor: string | null;
}

export interface SagaHealth {
  readonly ok: boolean;
  /** `standby`: another process works on this store and this one waits for its lease. */
  readonly worker: "active" | "standby" | "stopped";
  /** `down`: it does not answer, or it takes nothing, such as one whose disk is full. */
  readonly store: "up" | "down";
  /** Why the store is down; or runs that wait for a definition that no live worker here has. */
  readonly detail: string | null;
}

/** Counts of this process since it started, except `runsByStatus`, which counts the store's runs. */
export interface SagaMetrics {
  readonly runsByStatus: Partial<Record<RunStatus, number>>;
  /** Runs this process drives now. */
  readonly activeRuns: number;
  readonly stepsCompleted: number;
  readonly stepsFailed: number;
  readonly stepsRetried: number;
  readonly compensations: number;
  readonly appends: number;
  readonly flushes: number;
  readonly leaseLost: number;
}
