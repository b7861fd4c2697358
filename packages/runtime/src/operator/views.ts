import type { Failure, JournalRow, RunStatus } from "../engine/records.js";
import type { Json } from "../json.js";
import type { RunRow } from "../store/run-store.js";

/** A run as operators and clients see it: the run's row and its journal, folded. Times are ms since the epoch. */
export interface RunView extends RunSummary {
  readonly input: Json;
  readonly output: Json;
  readonly context: Json;
  readonly steps: readonly StepView[];
  /** Of a batch that has begun; null for other runs. */
  readonly progress: ProgressView | null;
}

/** Items of a batch. */
export interface ProgressView {
  readonly done: number;
  readonly failed: number;
  /** They needed nothing: their conditions said no, or the source no longer had them. */
  readonly skipped: number;
  /** In the whole source; null: not known yet. */
  readonly total: number | null;
  /** Settled in a second, over the last half minute or so; null: not known yet. */
  readonly rate: number | null;
  /** At this rate, ms; null: not known. */
  readonly leftMs: number | null;
}

export interface RunSummary
  extends Pick<
    RunRow,
    | "id"
    | "type"
    | "definition"
    | "version"
    | "parentId"
    | "status"
    | "rollbackStatus"
    | "sessionId"
    | "businessKey"
    | "attributes"
    | "restartedFrom"
    | "createdAt"
    | "updatedAt"
    | "endedAt"
  > {
  readonly error: Failure | null;
}

export interface StepView {
  readonly name: string;
  readonly status: StepStatus;
  /** 1; more when it was undone and ran again. All else is of this round. */
  readonly round: number;
  /** Of the forward act. */
  readonly attempts: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly output: Json;
  readonly error: Failure | null;
  /** The run it started; null for other steps, and until it has. */
  readonly child: string | null;
  /** Null until an unwind reaches the step, and for a step without compensation. */
  readonly compensation: CompensationView | null;
}

export interface CompensationView {
  readonly status: "running" | "waiting" | "compensated" | "skipped" | "failed";
  readonly outcome: "completed" | "unknown";
  readonly attempts: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly error: Failure | null;
}

/**
 * `waiting`: between two attempts, or for a time or a signal. `skipped`: its condition, or an operator, said that it need not
 * run. `unknown`: it may have run, nobody knows.
 */
export type StepStatus = "pending" | "running" | "waiting" | "completed" | "skipped" | "refused" | "failed" | "unknown";

/** Something new in a run: the rows since the last event and the state after them. */
export interface RunEvent {
  readonly rows: readonly JournalRow[];
  readonly status: RunStatus;
}

export interface DefinitionView {
  readonly name: string;
  readonly type: "saga" | "task" | "batch";
  readonly version: string;
  readonly description: string | null;
  readonly timeoutMs: number | null;
  /** False: listed only, not run by this version. */
  readonly available: boolean;
  readonly waves: readonly { readonly steps: readonly DefinitionStepView[] }[];
  readonly pivotAfterWave: number | null;
}

export interface DefinitionStepView {
  readonly name: string;
  readonly kind: string;
  readonly service: string | null;
  readonly endpoint: string | null;
  /** What a step of kind `wait` waits for. */
  readonly signal: string | null;
  /** Items at once of a step of kind `map`; chunks of a `batch`. */
  readonly concurrency: number | null;
  /** What a step of kind `child` runs. */
  readonly saga: string | null;
  /** It runs under a condition. */
  readonly conditional: boolean;
  readonly compensation: string | null;
}

export interface InstanceView {
  readonly id: string;
  readonly label: string;
  readonly startedAt: number;
  readonly renewedAt: number;
  readonly leaseExpiresAt: number;
  readonly alive: boolean;
  /** Runs it owns now. */
  readonly runs: number;
  /**
   * Contexts that it keeps hot: of its runs, and of those that are parked. Null: the session store does not answer, or no hot
   * copies are kept.
   */
  readonly contexts: number | null;
}
