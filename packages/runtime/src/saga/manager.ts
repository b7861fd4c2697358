import type { JournalRow, RunStatus } from "../engine/records.js";
import type { Json } from "../json.js";
import type { DefinitionView, InstanceView, RunEvent, RunSummary, RunView } from "../operator/views.js";
import type { Checkpoint } from "../store/run-store.js";

/**
 * Starts sagas, answers for their runs, and owns the worker that executes them in this process. All methods but
 * `definitions` throw `store-unavailable` when the store does not answer.
 */
export interface SagaManager {
  /** Opens the store, starts the worker. Twice is once. */
  open(): Promise<void>;
  /** Lets attempts under way finish for up to `graceMs` (default 10,000), then hands the runs back. Twice is once. */
  close(graceMs?: number): Promise<void>;

  /**
   * Creates a run. The same key gives the same run. Errors: `definition-unknown`, `input-invalid`, `payload-too-large`,
   * `idempotency-key-reused` (other input), `feature-unavailable` (a batch), `overloaded`.
   */
  start(definition: string, input: Json, options?: StartOptions): Promise<StartedRun>;
  /** The run once it ended, or its current view after `timeoutMs`. */
  wait(id: string, timeoutMs: number): Promise<RunView>;
  /** Error: `run-not-found`. */
  get(id: string): Promise<RunView>;
  list(query: ListRuns): Promise<RunListPage>;
  journal(id: string): Promise<readonly JournalRow[]>;
  checkpoints(id: string): Promise<readonly Checkpoint[]>;
  /** Every row of the run from the first one on, as it is written, until the run ends or `signal` aborts. */
  watch(id: string, signal: AbortSignal): AsyncIterable<RunEvent>;

  /**
   * Asks for something to be done to a run; takes effect when its owner reads it. Errors: `run-not-found`,
   * `verb-forbidden` (the state forbids it), `feature-unavailable`.
   */
  act(id: string, verb: RunVerb | LaterVerb, request: VerbRequest): Promise<void>;

  definitions(): readonly DefinitionView[];
  instances(): Promise<readonly InstanceView[]>;
  health(): Promise<SagaHealth>;
  metrics(): Promise<SagaMetrics>;
}

/** `cancel` before the pivot; `resume` a stuck run; `skip` its failed compensations; `abandon` it as it is. */
export type RunVerb = "cancel" | "resume" | "skip" | "abandon";
/** Verbs of the contract that this version does not have yet. */
export type LaterVerb = "pause" | "retry" | "compensate";

export interface VerbRequest {
  readonly reason: string;
  readonly actor: string;
  /** The same key twice is one request. */
  readonly idempotencyKey?: string;
}

export interface StartOptions {
  readonly idempotencyKey?: string;
  readonly sessionId?: string;
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
  readonly store: "up" | "down";
  /** Runs that wait for a definition that no live worker here has. */
  readonly detail: string | null;
}

export interface SagaMetrics {
  readonly runsByStatus: Partial<Record<RunStatus, number>>;
  readonly activeRuns: number;
  readonly stepsCompleted: number;
  readonly stepsFailed: number;
  readonly stepsRetried: number;
  readonly compensations: number;
  readonly appends: number;
  readonly flushes: number;
  readonly leaseLost: number;
}
