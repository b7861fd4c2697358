/** The tasks of the model: workflows and their stages, batches and their sources. See model.ts for its conventions. */
import type { JsonValue } from "./json-value.js";
import type { Names } from "./naming.js";
import type { RetryPolicy } from "./retry-policy.js";

export interface SagaModel {
  /** `raw` is the definition's name; `kebab` the file `<kebab>.saga.generated.ts`. */
  readonly name: Names;
  /** The task's, else `session.saga.timeout`. */
  readonly timeoutMs: number;
  /** False: the settings' `session.saga.timeout` holds, which an operator may change without new code. */
  readonly timeoutWritten: boolean;
  /** Null: a run waits for an instance as long as it takes. */
  readonly startTimeoutMs: number | null;
  readonly schedule: ScheduleModel | null;
  readonly queue: QueueModel | null;
  /** In order; the stages of one wave run at the same time. Never empty. */
  readonly waves: readonly WaveModel[];
  /** Compensations whose stage the task does not have: kept, waiting for it, not emitted as code. */
  readonly waitingCompensations: readonly CompensationModel[];
}

export interface ScheduleModel {
  /** Five fields with one space between them. */
  readonly cron: string;
  readonly timezone: string;
  readonly overlap: "skip" | "queue" | "cancel";
  readonly catchUp: boolean;
  /** An object, perhaps with expressions in it; null: an empty one. */
  readonly input: JsonValue;
}

/** What a task says of its runs' queue; what is null is left to the runtime. */
export interface QueueModel {
  readonly name: string | null;
  readonly priority: number | null;
  readonly concurrency: number | null;
  readonly concurrencyPerKey: number | null;
  readonly rateLimit: RateModel | null;
  /** JSONata over the input. */
  readonly key: string | null;
}

export interface RateModel {
  readonly max: number;
  readonly windowMs: number;
}

export interface WaveModel {
  /** True: written as `parallel`, even with one stage in it. */
  readonly parallel: boolean;
  readonly stages: readonly StageModel[];
  /** True: once this wave has completed, the run only goes forward. At most one wave of a saga. */
  readonly pivot: boolean;
}

export type StageModel = CallModel | SleepModel | WaitModel | ChildModel;

interface StageBase {
  /** `raw` is the step's key. */
  readonly name: Names;
  /** JSONata; null: it always runs. */
  readonly when: string | null;
}

/** A call of a service. */
export interface CallModel extends StageBase {
  readonly kind: "call";
  /** `raw` of a service in `Model.services`. */
  readonly service: string;
  /** With one leading slash. */
  readonly endpoint: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Per attempt: the stage's, else the service's, else 30 s. */
  readonly timeoutMs: number;
  /** The stage's keys before the task's before the service's before `session.recovery`'s. */
  readonly retry: RetryPolicy;
  /** False: neither stage nor task nor service writes one; the settings' `session.recovery` holds, and `retry` equals it. */
  readonly retryWritten: boolean;
  /** Null: an attempt may be silent until its timeout. */
  readonly heartbeatMs: number | null;
  /** HTTP statuses that are a refusal beside the usual ones. */
  readonly refusals: readonly number[];
  /** What is sent: JSONata, or an object with expressions in it; null: the protocol's body. */
  readonly input: JsonValue;
  /** Null: it is performed once, and not for each item of a list. */
  readonly map: MapModel | null;
  /** The function that performs it when the service is `local`. */
  readonly handler: Names | null;
  readonly compensation: CompensationModel | null;
}

export interface MapModel {
  /** JSONata giving the list. */
  readonly over: string;
  /** Items at once. */
  readonly concurrency: number;
  /** A longer list fails the stage. */
  readonly maxItems: number;
}

/** A durable timer. */
export interface SleepModel extends StageBase {
  readonly kind: "sleep";
  /** Milliseconds, or an expression as written, in `${ ... }`. */
  readonly delay: number | string;
}

/** A wait for a signal. */
export interface WaitModel extends StageBase {
  readonly kind: "wait";
  readonly signal: string;
  /** Null: as long as the run has. */
  readonly timeoutMs: number | null;
  readonly onTimeout: "fail" | "refuse" | "skip";
}

/** Another saga, as a run of its own. */
export interface ChildModel extends StageBase {
  readonly kind: "child";
  /** `raw` of one in `Model.sagas`. */
  readonly saga: string;
  /** As that of a call; null: the run's own input. */
  readonly input: JsonValue;
}

export interface CompensationModel {
  readonly stage: string;
  readonly service: string;
  /** With one leading slash. */
  readonly action: string;
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
  readonly retryWritten: boolean;
  readonly handler: Names | null;
}

export interface BatchModel {
  readonly name: Names;
  readonly timeoutMs: number;
  /** As of a saga. */
  readonly timeoutWritten: boolean;
  readonly startTimeoutMs: number | null;
  readonly schedule: ScheduleModel | null;
  readonly queue: QueueModel | null;
  readonly source: BatchSource;
  readonly chunkSize: number;
  readonly concurrency: number;
  /** As of a call; the source is read by it, too. */
  readonly retry: RetryPolicy;
  /** False: the task writes none. */
  readonly retryWritten: boolean;
  /** Items that may fail; one more halts it. Null: any number, within the ratio. */
  readonly maxFailures: number | null;
  /** Part of the items that may fail, above 0 to 1; null: `maxFailures` alone decides. */
  readonly maxFailureRatio: number | null;
  readonly rateLimit: RateModel | null;
  /** What is done for each item, in order. Never empty. */
  readonly stages: readonly CallModel[];
}

export type BatchSource =
  | { readonly kind: "entity"; readonly entity: Names; readonly where: Readonly<Record<string, JsonValue>> }
  | { readonly kind: "service"; readonly service: string; readonly endpoint: string; readonly key: string | null }
  | { readonly kind: "file"; readonly path: string; readonly format: "lines" | "csv"; readonly key: string | null }
  | { readonly kind: "items"; readonly items: readonly JsonValue[]; readonly key: string | null };
