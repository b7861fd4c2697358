import { parseDurationMs } from "../duration.js";
import { RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import { DEFAULT_MAX_ITEMS } from "./declared-step.js";
import { defineSaga } from "./define.js";
import type {
  CompensationDefinition,
  Expression,
  RetryPolicy,
  SagaDefinition,
  StepDefinition,
  Wave,
} from "./definition.js";
import { embedded, inputExpression, jsonataExpression, listExpression } from "./expression.js";
import type { QueueConfig } from "./queue.js";
import { queueFromConfig } from "./queue-config.js";
import { type ScheduleConfig, scheduleFromConfig } from "./schedule-config.js";

/** A workflow task as in the config file: snake_case, durations in whole seconds or with a unit. */
export interface TaskConfig extends ScheduleConfig, QueueConfig {
  readonly type?: "workflow";
  readonly description?: string;
  /** Of a whole run. Default: the manager's `saga.timeoutMs`. */
  readonly timeout?: number | string;
  /** A run that no instance has begun within this time of its creation ends `failed`. Default: none. */
  readonly start_timeout?: number | string;
  /** Defaults of its stages and their compensations, before those of services and of the manager's `recovery`. */
  readonly retry?: RetryConfig;
  readonly stages: readonly StageConfig[];
  readonly compensation?: readonly CompensationConfig[];
}

/** A call of a service, a `sleep`, a `wait_for` or a `saga`. */
export interface StageConfig {
  readonly name: string;
  /** JSONata over `input`, `outputs` and `context`: the stage runs only if it is true. */
  readonly when?: string;
  readonly service?: string;
  readonly endpoint?: string;
  /** Default POST. */
  readonly method?: string;
  /** Runs this saga as a child; its input is `input`, else the run's own. */
  readonly saga?: string;
  /** JSONata giving a list: the service is called once for each item, so many at once. */
  readonly map?: string;
  /** Default 1. */
  readonly concurrency?: number;
  /** A longer list fails the stage. Default 1,000. */
  readonly max_items?: number;
  /** What the service is sent: one JSONata expression, or JSON of which texts written `${ expression }` are JSONata; with `map` also over `item` and `index`. */
  readonly input?: Json;
  /** Waits this long, or what `${ expression }` gives: milliseconds, or an ISO 8601 time. */
  readonly sleep?: number | string;
  /** Waits for the signal of this name; for `timeout`, if there is one. */
  readonly wait_for?: string;
  /** What a signal that does not come in time means; with `skip` the saga goes on, and the output is null. Default `fail`. */
  readonly on_timeout?: "fail" | "refuse" | "skip";
  /** Of one attempt (default: the service's, else 30 s), or of waiting for the signal (default: the run's). */
  readonly timeout?: number | string;
  /** An attempt that gives no sign of life for so long has failed. Default: it may be silent until its timeout. */
  readonly heartbeat?: number | string;
  readonly retry?: RetryConfig;
  /** Statuses that count as a business refusal beside the usual ones. */
  readonly refusals?: readonly number[];
  /** The saga only goes forward once this stage has completed. */
  readonly pivot?: boolean;
  /** Stages that run together, in the place of this one. */
  readonly parallel?: readonly StageConfig[];
}

export interface CompensationConfig {
  readonly stage: string;
  /** Endpoint called with POST. */
  readonly action: string;
  /** Default: the stage's. */
  readonly service?: string;
  readonly timeout?: number | string;
  readonly retry?: RetryConfig;
}

/** See `RetryPolicy`; what is left out comes from the task, then from the service, then from the manager's `recovery`. */
export interface RetryConfig {
  readonly max_attempts?: number;
  readonly backoff?: RetryPolicy["backoff"];
  readonly initial_delay?: number | string;
  readonly max_delay?: number | string;
  readonly jitter?: RetryPolicy["jitter"];
  readonly non_retryable?: readonly string[];
}

/**
 * The same definition that the builder makes. A compensation of a stage that is not there waits for the stage. Error:
 * `definition-invalid` (a stage that is nothing or two things, a bad name, duration or expression, a name twice).
 */
export function sagaFromConfig(task: TaskConfig): SagaDefinition {
  const waves: Wave[] = [];
  let pivotAfterWave: number | null = null;
  for (const stage of task.stages) {
    const steps = (stage.parallel ?? [stage]).map((each) => stepOf(task, each));
    waves.push({ steps });
    if (stage.pivot === true || stage.parallel?.some((each) => each.pivot === true)) pivotAfterWave = waves.length - 1;
  }
  const queue = queueFromConfig(task.name, task);
  return defineSaga({
    name: task.name,
    waves,
    pivotAfterWave,
    timeoutMs: task.timeout === undefined ? null : parseDurationMs(task.timeout, `${task.name}.timeout`),
    ...(task.start_timeout !== undefined && {
      startTimeoutMs: parseDurationMs(task.start_timeout, `${task.name}.start_timeout`),
    }),
    ...(task.retry !== undefined && { retry: retryPolicy(task.name, task.retry) }),
    ...(task.description !== undefined && { description: task.description }),
    ...scheduleFromConfig(task),
    ...(queue !== undefined && { queue }),
  });
}

function stepOf(task: TaskConfig, stage: StageConfig): StepDefinition {
  const key = `${task.name}.${stage.name}`;
  const { name } = stage;
  const undo = task.compensation?.find((each) => each.stage === name);
  const when = stage.when === undefined ? {} : { when: jsonataExpression(stage.when, `${key}.when`) };
  const kinds = (["service", "sleep", "wait_for", "saga"] as const).filter((kind) => stage[kind] !== undefined);
  if (kinds.length > 1) throw invalid(key, `expected stage ${key} to be one of ${kinds.join(" and ")}, got both`);
  const lone = (["concurrency", "max_items"] as const).find((each) => stage[each] !== undefined);
  if (stage.map === undefined && lone !== undefined)
    throw invalid(key, `expected ${lone} beside map in stage ${key}, got no map`);
  if (stage.map !== undefined && stage.service === undefined)
    throw invalid(key, `expected stage ${key} to map over a list with a service, got none`);
  if (stage.heartbeat !== undefined && stage.service === undefined)
    throw invalid(key, `expected no heartbeat of stage ${key}, which calls no service`);
  if (undo !== undefined && stage.service === undefined)
    throw invalid(key, `expected no compensation of stage ${key}, which calls no service`);
  if (stage.sleep !== undefined)
    return { name, kind: "sleep", duration: durationOf(stage.sleep, `${key}.sleep`), ...when };
  if (stage.wait_for !== undefined) {
    const timeoutMs = stage.timeout === undefined ? null : parseDurationMs(stage.timeout, `${key}.timeout`);
    return { name, kind: "wait", signal: stage.wait_for, timeoutMs, onTimeout: stage.on_timeout ?? "fail", ...when };
  }
  const input = stage.input === undefined ? {} : { input: inputExpression(stage.input, `${key}.input`) };
  if (stage.saga !== undefined) return { name, kind: "child", saga: stage.saga, ...when, ...input };
  if (stage.service === undefined || stage.endpoint === undefined)
    throw invalid(key, `expected stage ${key} to name its service and endpoint, got neither or one of them`);
  const call = {
    ...{ name, ...when, ...input },
    action: {
      service: stage.service,
      endpoint: withSlash(stage.endpoint),
      ...(stage.method !== undefined && { method: stage.method }),
      ...(stage.refusals !== undefined && { refusals: stage.refusals }),
    },
    ...actOptions(key, stage),
    ...(stage.heartbeat !== undefined && { heartbeatMs: parseDurationMs(stage.heartbeat, `${key}.heartbeat`) }),
    compensation: undo === undefined ? null : compensationOf(`${key}.compensation`, stage.service, undo),
  };
  if (stage.map === undefined) return { ...call, kind: "action" };
  const { concurrency = 1, max_items: maxItems = DEFAULT_MAX_ITEMS } = stage;
  return { ...call, kind: "map", over: listExpression(stage.map, `${key}.map`), concurrency, maxItems };
}

function durationOf(sleep: number | string, key: string): number | Expression {
  const source = typeof sleep === "string" ? embedded(sleep, key) : null;
  return source === null ? parseDurationMs(sleep, key) : jsonataExpression(source, key);
}

function invalid(key: string, message: string): RuntimeError {
  return new RuntimeError("definition-invalid", message, { key });
}

function compensationOf(key: string, service: string, undo: CompensationConfig): CompensationDefinition {
  return { action: { service: undo.service ?? service, endpoint: withSlash(undo.action) }, ...actOptions(key, undo) };
}

function actOptions(
  key: string,
  { timeout, retry }: { readonly timeout?: number | string; readonly retry?: RetryConfig },
) {
  return {
    timeoutMs: timeout === undefined ? null : parseDurationMs(timeout, `${key}.timeout`),
    retry: retryPolicy(key, retry ?? {}),
  };
}

function retryPolicy(key: string, retry: RetryConfig): Partial<RetryPolicy> {
  const { max_attempts, backoff, jitter, initial_delay, max_delay, non_retryable } = retry;
  return {
    ...(max_attempts !== undefined && { maxAttempts: max_attempts }),
    ...(backoff !== undefined && { backoff }),
    ...(jitter !== undefined && { jitter }),
    ...(non_retryable !== undefined && { nonRetryable: non_retryable }),
    ...(initial_delay !== undefined && {
      initialDelayMs: parseDurationMs(initial_delay, `${key}.retry.initial_delay`),
    }),
    ...(max_delay !== undefined && { maxDelayMs: parseDurationMs(max_delay, `${key}.retry.max_delay`) }),
  };
}

function withSlash(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}
