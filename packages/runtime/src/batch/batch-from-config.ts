import type { Duration } from "../duration.js";
import { RuntimeError } from "../errors.js";
import type { Json, JsonObject } from "../json.js";
import type { SagaDefinition, SourceChoice } from "../saga/definition.js";
import type { CompensationConfig, RetryConfig, StageConfig } from "../saga/from-config.js";
import type { RetryOptions } from "../saga/step-options.js";
import { batch } from "./batch.js";
import type { BatchStageOptions } from "./batch-options.js";

/** A batch task as in the config file: snake_case, durations in whole seconds or with a unit. */
export interface BatchTaskConfig {
  readonly name: string;
  readonly type?: "batch";
  readonly description?: string;
  readonly timeout?: number | string;
  readonly source: BatchSourceConfig;
  /** Default 100. */
  readonly chunk_size?: number;
  /** Default 1. */
  readonly concurrency?: number;
  /** Default 0. */
  readonly max_failures?: number | null;
  /** Default: any part. */
  readonly max_failure_ratio?: number | null;
  readonly rate_limit?: { readonly max: number; readonly window: number | string };
  /** Default: the service's, else 30 s. */
  readonly item_timeout?: number | string;
  readonly retry?: RetryConfig;
  readonly stages: readonly StageConfig[];
  readonly compensation?: readonly CompensationConfig[];
}

/** One of `entity`, `service` with `endpoint`, `items`, `file`. */
export interface BatchSourceConfig {
  readonly entity?: string;
  readonly where?: JsonObject;
  readonly service?: string;
  readonly endpoint?: string;
  readonly items?: readonly Json[];
  readonly file?: string;
  /** Of a file. Default `lines`. */
  readonly format?: "lines" | "csv";
  /** The field that is an item's key; see `SourceChoice`. */
  readonly key?: string;
}

/** The same definition that `batch` makes. Error: `definition-invalid` (also for a stage that is no call of a service). */
export function batchFromConfig(task: BatchTaskConfig): SagaDefinition {
  const { name, description, timeout, rate_limit, item_timeout, retry } = task;
  const [first, ...others] = task.stages.map((stage) => stageOf(task, stage));
  if (first === undefined) throw invalid(name, `expected at least one stage of ${name}, got none`);
  return batch(name, {
    ...(description !== undefined && { description }),
    ...(timeout !== undefined && { timeout: duration(timeout) }),
    source: sourceOf(name, task.source),
    ...(task.chunk_size !== undefined && { chunkSize: task.chunk_size }),
    ...(task.concurrency !== undefined && { concurrency: task.concurrency }),
    ...(task.max_failures !== undefined && { maxFailures: task.max_failures }),
    ...(task.max_failure_ratio !== undefined && { maxFailureRatio: task.max_failure_ratio }),
    ...(rate_limit !== undefined && { rateLimit: { max: rate_limit.max, window: duration(rate_limit.window) } }),
    ...(item_timeout !== undefined && { itemTimeout: duration(item_timeout) }),
    ...(retry !== undefined && { retry: retryOptions(retry) }),
    stages: [first, ...others],
  });
}

function sourceOf(name: string, source: BatchSourceConfig): SourceChoice {
  const kinds = (["entity", "service", "items", "file"] as const).filter((kind) => source[kind] !== undefined);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1)
    throw invalid(name, `expected the source of ${name} to be one of entity, service, items, file, got ${kinds.join(" and ") || "none"}`);
  const { entity, where, service, endpoint, items, file, format, key } = source;
  const keyed = key === undefined ? {} : { key };
  if (entity !== undefined) return { entity, ...(where !== undefined && { where }) };
  if (items !== undefined) return { items, ...keyed };
  if (file !== undefined) return { file, ...(format !== undefined && { format }), ...keyed };
  if (service !== undefined && endpoint !== undefined) return { service, endpoint: withSlash(endpoint), ...keyed };
  throw invalid(name, `expected the source of ${name} to name the endpoint of ${service}, got none`);
}

function stageOf(task: BatchTaskConfig, stage: StageConfig): BatchStageOptions {
  const { name, service, endpoint, method, when, input, timeout, retry, refusals } = stage;
  const undo = task.compensation?.find((each) => each.stage === name);
  const odd = (["parallel", "map", "sleep", "wait_for", "saga", "pivot"] as const).find((kind) => stage[kind] !== undefined);
  if (odd !== undefined || service === undefined || endpoint === undefined)
    throw invalid(
      `${task.name}.${name}`,
      `expected stage ${task.name}.${name} of a batch to call a service by its endpoint, got ${odd ?? "neither or one of them"}`,
    );
  return {
    ...{ name, service, endpoint: withSlash(endpoint) },
    ...(method !== undefined && { method }),
    ...(refusals !== undefined && { refusals }),
    ...(when !== undefined && { when }),
    ...(input !== undefined && { input: input as NonNullable<BatchStageOptions["input"]> }),
    ...actOf({ timeout, retry }),
    ...(undo !== undefined && {
      compensate: { service: undo.service ?? service, endpoint: withSlash(undo.action), ...actOf(undo) },
    }),
  };
}

function actOf({ timeout, retry }: { readonly timeout?: number | string | undefined; readonly retry?: RetryConfig | undefined }) {
  return {
    ...(timeout !== undefined && { timeout: duration(timeout) }),
    ...(retry !== undefined && { retry: retryOptions(retry) }),
  };
}

function retryOptions({ max_attempts, backoff, initial_delay, max_delay, jitter, non_retryable }: RetryConfig): RetryOptions {
  return {
    ...(max_attempts !== undefined && { maxAttempts: max_attempts }),
    ...(backoff !== undefined && { backoff }),
    ...(jitter !== undefined && { jitter }),
    ...(non_retryable !== undefined && { nonRetryable: non_retryable }),
    ...(initial_delay !== undefined && { initialDelay: duration(initial_delay) }),
    ...(max_delay !== undefined && { maxDelay: duration(max_delay) }),
  };
}

/** In code a duration has its unit; a wrong one is refused where it is read. */
function duration(value: number | string): Duration {
  return (typeof value === "number" ? `${value}s` : value) as Duration;
}

function withSlash(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}

function invalid(key: string, message: string): RuntimeError {
  return new RuntimeError("definition-invalid", message, { key });
}
