import type { SagaEvents } from "../choreography/saga-events.js";
import type { JournalRow, RunStatus } from "../engine/records.js";
import type { VerbName } from "../engine/verbs.js";
import type { Json } from "../json.js";
import type { DefinitionView, InstanceView, RunEvent, RunSummary, RunView } from "../operator/views.js";
import type { FailedItemPage } from "../store/batch-store.js";
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
   * Creates a run. The same key gives the same run, or what `ifExists` says. Errors: `definition-unknown`, `input-invalid`,
   * `payload-too-large`, `idempotency-key-reused` (other input), `run-exists` (with `ifExists: "reject"`),
   * `overloaded`, `runtime-stopped` (before open or after close).
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
   * `verb-forbidden` (the state forbids it), `input-invalid` (no such verb, no reason), `inbox-full`.
   */
  act(id: string, verb: RunVerb, request: VerbRequest): Promise<void>;

  /**
   * Sends a signal to a run, for its steps that wait for that name; kept when it comes early. Resolves when the store has it.
   * Errors: `run-not-found`, `run-ended`, `too-many-signals` (1,000 or 1 MiB of them are kept already), `input-invalid` (a bad
   * name, a payload that is not JSON), `payload-too-large` (1 MiB).
   */
  signal(id: string, name: string, payload: Json, request: SignalRequest): Promise<void>;

  /** Items of a batch that failed, in the order of their failing. Errors: `run-not-found`, `verb-forbidden` (no batch), `input-invalid`. */
  failedItems(id: string, query: FailedItemsQuery): Promise<FailedItemPage>;
  /**
   * Tries the failed items of a batch again: within it while it goes on; with the verb `retry` when it is stuck; alone, by a new run that
   * is `restartedFrom` this one, when it has ended. Errors: `run-not-found`, `verb-forbidden` (no batch, nothing failed), those of `act`.
   */
  retryFailed(id: string, request: RetryFailedRequest): Promise<RetriedItems>;

  /** The newest version of each, as registered here. */
  definitions(): readonly DefinitionView[];
  /** Processes that work on this store, also recently dead ones. */
  instances(): Promise<readonly InstanceView[]>;
  /** Never throws: a store that does not answer, or takes nothing, is `down`. */
  health(): Promise<SagaHealth>;
  metrics(): Promise<SagaMetrics>;
  /** Of choreographed sagas; null: there are none here. */
  readonly events: SagaEvents | null;
}

/**
 * `cancel` and `compensate` undo a run before its pivot, which then ends `cancelled` or `compensated`. `pause` dispatches
 * nothing more; attempts under way end. Of a stuck or paused run: `resume` goes on as it was; `retry` goes forward, even when
 * it was being undone; `abandon` ends it as it is, `failed`. Of a stuck one: `skip` its failed compensations or, past the
 * pivot, its failed steps.
 */
export type RunVerb = VerbName;

export interface VerbRequest {
  /** 1 to 500 characters; journaled. */
  readonly reason: string;
  /** Who asks; journaled. */
  readonly actor: string;
  /** Scoped to run and verb: the same key twice is one request, and gets the same answer. */
  readonly idempotencyKey?: string;
  /**
   * With `retry`: from this step's wave on everything is undone first, and then runs again in a new round. Default: nothing
   * more is undone; what was undone runs again in a new round, and what stands is not done again.
   */
  readonly step?: string;
}

export interface FailedItemsQuery {
  /** Default 50, at most 10,000. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** As a `VerbRequest`. Of a batch that has ended the same key twice is one new run. */
export type RetryFailedRequest = Omit<VerbRequest, "step">;

export interface RetriedItems {
  /** That tries them: the batch itself, or a new one. */
  readonly run: string;
  /** How many are tried again. */
  readonly items: number;
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
  /**
   * What a key does that has a run already. `attach` (default): gives that run. `reject`: refuses the start, `run-exists`.
   * `restart-if-failed`: when that run ended `failed`, `compensated` or `cancelled`, starts a new one, also with another input,
   * which takes the key over; otherwise as `attach`. Of many who do so at once, one starts it and the others get it.
   */
  readonly ifExists?: "attach" | "reject" | "restart-if-failed";
  /** A name of the caller's own, such as an order number, to find the run by. */
  readonly businessKey?: string;
  /** What else to find it by, over what its definition gives: at most 20 in all, of up to 256 characters, by names. */
  readonly attributes?: Readonly<Record<string, string>>;
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
  /** Created at or after, ms since the epoch. */
  readonly since?: number;
  /** Created before, ms since the epoch. */
  readonly until?: number;
  readonly sessionId?: string;
  readonly businessKey?: string;
  /** Runs that have all of these. */
  readonly attributes?: Readonly<Record<string, string>>;
  readonly parentId?: string;
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
  /** Why the store is down; or runs that wait for a definition that is not registered here. */
  readonly detail: string | null;
}

/** Counts of this process since it started, except the first three, which count the store's runs. */
export interface SagaMetrics {
  readonly runsByStatus: Partial<Record<RunStatus, number>>;
  /** Runs that wait for an operator: `stuck` and `paused`. */
  readonly parkedRuns: number;
  /** Open runs of definitions, or versions of them, that are not registered here. */
  readonly strandedRuns: number;
  /** Runs this process drives now. */
  readonly activeRuns: number;
  readonly stepsCompleted: number;
  readonly stepsFailed: number;
  readonly stepsRetried: number;
  readonly compensations: number;
  readonly appends: number;
  readonly flushes: number;
  readonly leaseLost: number;
  /** Items of batches settled here. */
  readonly batchItemsDone: number;
  readonly batchItemsFailed: number;
  /** Of choreographed sagas; null: there are none here. */
  readonly events: SagaEvents["counts"] | null;
}
