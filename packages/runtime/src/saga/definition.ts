import type { Json } from "../json.js";
import type { BatchStep } from "./batch-step.js";
import type { Expression, RetryPolicy, ServiceCall } from "./service-act.js";

export type * from "./batch-step.js";
export type { Expression, ExpressionScope, RetryPolicy, ServiceCall } from "./service-act.js";

/**
 * A saga as declared: waves of steps, one wave after the other, the steps of a wave in parallel. TypeScript builder and
 * config produce the same thing. It holds no state; a run pins its `version`.
 */
export interface SagaDefinition {
  readonly name: string;
  readonly description?: string;
  /** What its runs are called. Default `saga`. */
  readonly runType?: "saga" | "task" | "batch";
  /** Fingerprint of the graph's shape (names, kinds, order, pivot, compensations), not of the code. */
  readonly version: string;
  readonly waves: readonly Wave[];
  /** Index of the wave after whose completion the run only goes forward; null: no pivot. */
  readonly pivotAfterWave: number | null;
  /** Of a whole run, ms; null: the manager's default. */
  readonly timeoutMs: number | null;
  /** A run that no instance has begun within this time of its creation, ms, ends `failed` and runs nothing. Default: none. */
  readonly startTimeoutMs?: number;
  /** Defaults of its steps and their compensations, before those of services and the manager's. */
  readonly retry?: Partial<RetryPolicy>;
  /** What a run can be searched by, from its input: at most 20 texts, each of up to 256 characters, by names. */
  readonly attributes?: (input: Json) => Readonly<Record<string, string>>;
  /** Throws (a `RuntimeError` "input-invalid" or any error) when the input does not fit. */
  readonly checkInput?: (input: Json) => void;
  /** The run's output from its steps' outputs; default: the last wave's output (an object by name when it has several steps). */
  readonly returns?: (outputs: Readonly<Record<string, Json>>) => unknown;
  /** `choreography`: its stages react to each other's events, and its runs are observed. Default: `saga.orchestration` of the config. */
  readonly style?: SagaStyle;
  /** It is one unit of a choreographed saga, and this is which. */
  readonly unit?: { readonly saga: SagaDefinition; readonly unit: Unit };
}

/** Who calls the stages: the owner of the run, or each the next one by its event. */
export type SagaStyle = "orchestration" | "choreography";

/**
 * A part of a choreographed saga that begins and is undone by events. A stage is a unit. A wave of several stages, and one with the pivot
 * after it, is followed by a gate: a unit that does nothing but wait for all of them, so that every other unit has one that starts it.
 */
export interface Unit {
  readonly name: string;
  /** Null: a gate. */
  readonly step: StepDefinition | null;
  /** Units whose completion starts it, all of them; none: the start of the run does. */
  readonly after: readonly string[];
  /** What it fails at is not undone: the saga only goes forward. */
  readonly isPastPivot: boolean;
}

export interface Wave {
  readonly steps: readonly StepDefinition[];
}

export type StepDefinition = ActionStep | SleepStep | WaitStep | ChildStep | MapStep | BatchStep;

/** What steps of every kind have. */
interface StepBase {
  /** Unique in the saga; also the step's path in the journal and in idempotency keys. */
  readonly name: string;
  /** Gives a boolean; null or nothing counts as false: the step is skipped, its output is null. Default: it runs. */
  readonly when?: Expression;
}

/** A call of a service, or of a function in this process. */
export interface ActionStep extends StepBase {
  readonly kind: "action";
  readonly action: Action;
  /** What the step is given in the place of the run's input. */
  readonly input?: Expression;
  /** Per attempt, ms; null: the service's, else 30 s. */
  readonly timeoutMs: number | null;
  readonly retry: Partial<RetryPolicy>;
  readonly compensation: CompensationDefinition | null;
  /** Of a choreographed saga: another service performs and undoes it, by events; here it is only followed. */
  readonly isElsewhere?: true;
}

/** A durable timer. */
export interface SleepStep extends StepBase {
  readonly kind: "sleep";
  /** ms, or what gives milliseconds or an ISO 8601 time with its zone. */
  readonly duration: number | Expression;
}

/** Waits for a signal. Its output is the signal's payload. */
export interface WaitStep extends StepBase {
  readonly kind: "wait";
  /** Name of the signal. */
  readonly signal: string;
  /** ms; null: until the run's timeout. */
  readonly timeoutMs: number | null;
  /** `fail`: the step failed. `refuse`: it was refused, which counts as a business outcome. */
  readonly onTimeout: "fail" | "refuse";
}

/**
 * Runs another saga, as a run of its own. Its output is that run's. Compensating it undoes the child: cancels it while it runs,
 * and undoes what it did when it has completed.
 */
export interface ChildStep extends StepBase {
  readonly kind: "child";
  /** Name of the saga; the newest version when the step begins. */
  readonly saga: string;
  /** The child's input, a JSON object. Default: the run's own. */
  readonly input?: Expression;
}

/** An action for each item of a list. Its output is the list of their outputs, in order. */
export interface MapStep extends StepBase {
  readonly kind: "map";
  /** Gives the list. */
  readonly over: Expression;
  /** Items at once. */
  readonly concurrency: number;
  /** A longer list fails the step. */
  readonly maxItems: number;
  readonly action: Action;
  /** What each item is given in the place of the run's input; also over `item` and `index`. */
  readonly input?: Expression;
  /** Per attempt at an item, ms; null: the service's, else 30 s. */
  readonly timeoutMs: number | null;
  readonly retry: Partial<RetryPolicy>;
  /** Of an item. */
  readonly compensation: CompensationDefinition | null;
}

/** Who performs a step: a handler in this process, or a participant (a service) by name. */
export type Action = { readonly run: StepHandler } | ServiceCall;

export interface CompensationDefinition {
  readonly action: { readonly run: CompensationHandler } | ServiceCall;
  readonly timeoutMs: number | null;
  readonly retry: Partial<RetryPolicy>;
}

/**
 * What one attempt at a step is given. `context`, `transaction` and `signal` are made when they are read: hand on the call itself, or
 * what you need of it, for `{ ...call }` in a handler has none of the three.
 */
export interface StepCall {
  readonly runId: string;
  /** The step's name; of an item of a step that maps over a list, its path: `items[3]/<step>`. */
  readonly stage: string;
  /** What the step's `input` expression made; without one, the run's input. */
  readonly input: Json;
  /** `input` comes from the step's expression: it is the whole body of a request. */
  readonly isMapped: boolean;
  readonly runInput: Json;
  /** Of a step that maps over a list: the item, and its place from 0 on. Of a stage of a batch: the item, and its key. */
  readonly item?: Json;
  readonly index?: number;
  readonly key?: string;
  /** Of steps in earlier waves, by name. */
  readonly outputs: Readonly<Record<string, Json>>;
  readonly context: ContextHandle;
  /** `<run id>:<step>`, the same in every attempt; `<run id>:<step>:r<n>` in the n-th round, after the step was undone. */
  readonly idempotencyKey: string;
  /** From 1 on; attempts that a crash interrupted count. */
  readonly attempt: number;
  /** Grows with each takeover of the run: a barrier may refuse a lower one. Of a choreographed run's stages always 1. */
  readonly fence: number;
  /** How long this attempt may take, ms. */
  readonly timeoutMs: number;
  /** Aborted at the attempt's timeout, at the run's, or when this instance lost the run. */
  readonly signal: AbortSignal;
  /**
   * Does the callback's work in a transaction of the run store's own database, which also writes that the step completed:
   * both are durable, or neither. Once per attempt; return what it resolves with, for the callback's value is the step's
   * output. See `TransactionRunner`.
   */
  readonly transaction: TransactionRunner;
}

/**
 * Resolves with the callback's value when it is durable: the attempt has then completed, and what the handler does after it
 * changes nothing. A callback that throws, or that the attempt's timeout cuts short, is rolled back and may be repeated;
 * `BusinessRefusal` refuses. `client` is the store's own: `pg.PoolClient` on PostgreSQL, `Database` on SQLite, where the callback is
 * synchronous. Until it is over nothing else of the run is written, a checkpoint included. Errors: `feature-unavailable` (a
 * store without transactions), `definition-invalid` (a second one in the attempt), `lease-lost` (rolled back),
 * `store-unavailable` (rolled back, or its commit unknown: then the run is read anew from its journal).
 */
export type TransactionRunner = <Output, Client = unknown>(
  callback: (client: Client) => Output | Promise<Output>,
) => Promise<Output>;

export interface CompensationCall extends Omit<StepCall, "idempotencyKey"> {
  /** The step's key with `:compensate` after it. */
  readonly idempotencyKey: string;
  /** Key of the step to undo. */
  readonly forwardKey: string;
  /** `unknown`: it may have run, or not; undo what can be found under `forwardKey`. */
  readonly outcome: "completed" | "unknown";
  /** What the step returned; null when the outcome is unknown. */
  readonly output: Json;
  /** Why the saga unwinds: the message of its failure. */
  readonly reason: string;
}

/** Returns the output, JSON of at most 1 MiB. Throwing `BusinessRefusal` refuses; any other throw is retried. */
export type StepHandler = (call: StepCall) => unknown | Promise<unknown>;
/** What it returns is not kept. A throw is retried; `BusinessRefusal`, or the last attempt failing, parks the run as `stuck`. */
export type CompensationHandler = (call: CompensationCall) => unknown | Promise<unknown>;

/** The run's context as a step sees it: reads are immediate, writes are kept with the step's result at the latest. */
export interface ContextHandle {
  /** A snapshot of the moment; never changed in place. */
  get(): Readonly<Record<string, Json>>;
  /** Merges a patch (RFC 7396) on the way; durable with the next checkpoint or with the step's result. Error: `input-invalid`, `payload-too-large`. */
  patch(patch: Readonly<Record<string, unknown>>): void;
  /**
   * Writes a snapshot now (strategy `manual`, allowed with every strategy); resolves when it is durable, at once when
   * checkpoints are off. Errors: `lease-lost` (this instance no longer owns the run), `input-invalid` (the store refused it).
   */
  checkpoint(): Promise<void>;
}
