import type { Duration } from "../duration.js";
import type { Json } from "../json.js";
import type { CompensationCall, RetryPolicy, ServiceCall, StepCall } from "./definition.js";

/** What the builder's methods take. */

/**
 * A step performed here, by a function. `Given` is what `run` and `compensate` see as their input: the run's, or what `input`
 * makes; `When` is what the condition gives, or never without one.
 */
export interface LocalStep<Input, Outputs, Output, Given = Input, When extends Verdict = never>
  extends LongStepOptions {
  readonly when?: (scope: TypedScope<Input, Outputs>) => When;
  /**
   * What the step is given in the place of the run's input; write it before `run`. Computed once for all attempts, and
   * journaled. Pure; gives JSON of at most 1 MiB, at once. What it throws fails the step for good. Default: the run's input.
   */
  readonly input?: (scope: TypedScope<Input, Outputs>) => Given;
  /** Returns JSON of at most 1 MiB. Throwing `BusinessRefusal` refuses; any other throw is retried. */
  readonly run: (call: TypedCall<Given, Outputs>) => Output | Promise<Output>;
  /** Undoes it; undoing nothing is a success. Its attempts have 30 s and the manager's `recovery`. Default: none. */
  readonly compensate?: (call: TypedCompensation<Given, Outputs, Output>) => unknown;
}

/** A step performed by a service. Its output is JSON. */
export interface ServiceStep<Input = never, Outputs = never> extends LongStepOptions, ServiceCall {
  readonly when?: Condition<Input, Outputs>;
  /**
   * The body it is sent, in the place of the protocol's: a function, one JSONata expression, or JSON of which texts
   * written `${ expression }` are JSONata. Computed once for all attempts, and journaled. Default: none.
   */
  readonly input?: ((scope: TypedScope<Input, Outputs>) => unknown) | string | InputTemplate;
  readonly compensate?: ServiceCompensation;
}

/**
 * A step of a choreographed saga that another service performs and undoes: it declares itself by `defineEventParticipant`. Its output is JSON.
 */
export interface ElsewhereStep {
  readonly performed: "elsewhere";
  /** Whether it has a compensation there: runs show it compensated when it says that it went back. Default true. */
  readonly compensates?: boolean;
}

export type InputTemplate = { readonly [key: string]: Json };

export interface ServiceCompensation extends StepOptions {
  readonly service: string;
  readonly endpoint: string;
}

/** A durable timer by the store's clock: a restart neither shortens nor forgets it. Its output is null. */
export interface SleepOptions<Input, Outputs> {
  readonly when?: Condition<Input, Outputs>;
  /**
   * How long; or a function or JSONata in `${ ... }` giving milliseconds, or the ISO 8601 time (with its zone) until which it
   * sleeps. What is past is over at once.
   */
  readonly for: Duration | `\${${string}}` | ((scope: TypedScope<Input, Outputs>) => number | string);
}

/** Waits for a signal, whose payload is its output. A signal that comes early is kept. */
export interface WaitOptions<Input, Outputs> {
  readonly when?: Condition<Input, Outputs>;
  /** Default: the step's name. */
  readonly signal?: string;
  /** Default: none; the run's timeout bounds it. */
  readonly timeout?: Duration;
  /**
   * What it is when the signal does not come in time: a failure (default), a refusal, which is a business outcome, or nothing to stop for: then the
   * output is null, and a later step sees to it.
   */
  readonly onTimeout?: "fail" | "refuse" | "skip";
}

/** Runs another saga, as a run of its own. Its output is that run's. */
export interface ChildOptions<Input, Outputs> {
  readonly when?: Condition<Input, Outputs>;
  /** Its definition, or its name. It must be registered too, and may not come back to this one. */
  readonly saga: string | { readonly name: string };
  /** The child's input, a JSON object; as the `input` of a service. Default: the run's own. */
  readonly input?: ((scope: TypedScope<Input, Outputs>) => unknown) | string | InputTemplate;
}

/**
 * A function for each item of a list. Its output is the list of what they returned, in order, at most 1 MiB. Each item has its own attempts, key
 * (`<run id>:items[3]/<step>`) and compensation; when one fails for good, nothing new begins and the step has failed.
 */
export interface LocalMap<Input, Outputs, Item, Output, Given = Input, When extends Verdict = never>
  extends LongStepOptions,
    MapOptions {
  readonly when?: (scope: TypedScope<Input, Outputs>) => When;
  /** Gives the list, JSON of at most 1 MiB; write it first. Computed once, and journaled. */
  readonly over: (scope: TypedScope<Input, Outputs>) => readonly Item[];
  /** What an item is given in the place of the run's input; as `input` of a step. */
  readonly input?: (scope: ItemScope<Input, Outputs, Item>) => Given;
  readonly run: (call: TypedCall<Given, Outputs> & ItemOf<Item>) => Output | Promise<Output>;
  readonly compensate?: (call: TypedCompensation<Given, Outputs, Output> & ItemOf<Item>) => unknown;
}

/** The same performed by a service. */
export interface ServiceMap<Input, Outputs> extends LongStepOptions, MapOptions, ServiceCall {
  readonly when?: Condition<Input, Outputs>;
  /** Gives the list: a function, or JSONata over `input`, `outputs` and `context`, whose one value is a list of one. */
  readonly over: ((scope: TypedScope<Input, Outputs>) => readonly unknown[]) | string;
  /** The body for an item; as `input` of a step, also over `item` and `index`. */
  readonly input?: ((scope: ItemScope<Input, Outputs, Json>) => unknown) | string | InputTemplate;
  readonly compensate?: ServiceCompensation;
}

export interface MapOptions {
  /** Items at once, also when they are undone; 1 to 1,000. Default 1. */
  readonly concurrency?: number;
  /** A longer list fails the step; 1 to 10,000. Default 1,000. */
  readonly maxItems?: number;
}

export interface ItemOf<Item> {
  readonly item: Item;
  /** In the list, from 0 on. */
  readonly index: number;
}

export type ItemScope<Input, Outputs, Item> = TypedScope<Input, Outputs> & ItemOf<Item>;

/**
 * Whether a step runs: a function, or JSONata over `input`, `outputs` and `context`, giving a boolean; null and nothing are
 * false. A skipped step has the output null and is never compensated. Evaluated once, and journaled. Default: it runs.
 */
export type Condition<Input, Outputs> = ((scope: TypedScope<Input, Outputs>) => Verdict) | string;

export type Verdict = boolean | null | undefined;

/** What a function of a step's options may read. */
export interface TypedScope<Input, Outputs> {
  /** The run's. */
  readonly input: Input;
  readonly outputs: Readonly<Outputs>;
  readonly context: Readonly<Record<string, Json>>;
  /** The store's clock, ms since the epoch. */
  readonly now: number;
}

export interface StepOptions {
  /** Of one attempt; default: the service's, else 30 s. */
  readonly timeout?: Duration;
  /** What is left out comes from the saga, then from the service, then from the manager's `recovery`. */
  readonly retry?: RetryOptions;
}

/** Of a step that may take long. */
export interface LongStepOptions extends StepOptions {
  /**
   * An attempt that gives no sign of life for so long has failed with `heartbeat-timeout`, may have run, and is tried again: `call.heartbeat(details)`
   * here, `SagaManager.heartbeat` for a service. Give the step a `timeout` as long as its work. Default: it may be silent until that.
   */
  readonly heartbeat?: Duration;
}

export interface RetryOptions
  extends Partial<Pick<RetryPolicy, "maxAttempts" | "backoff" | "jitter" | "nonRetryable">> {
  readonly initialDelay?: Duration;
  readonly maxDelay?: Duration;
}

export type TypedCall<Input, Outputs> = Omit<StepCall, "input" | "outputs" | "item" | "index"> & {
  readonly input: Input;
  readonly outputs: Readonly<Outputs>;
};

export type TypedCompensation<Input, Outputs, Output> = Omit<
  CompensationCall,
  "input" | "outputs" | "output" | "item" | "index"
> & {
  readonly input: Input;
  readonly outputs: Readonly<Outputs>;
  /** Null when the outcome is unknown. */
  readonly output: Output | null;
};
