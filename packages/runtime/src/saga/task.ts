import { type Duration, parseDurationMs } from "../duration.js";
import type { Json } from "../json.js";
import { retryPolicy } from "./declared-step.js";
import { defineSaga } from "./define.js";
import type { SagaDefinition } from "./definition.js";
import type { RetryOptions } from "./step-options.js";
import type { TaskFunction } from "./task-call.js";

export interface TaskOptions<Input> {
  /** Shown to operators. Default: none. */
  readonly description?: string;
  /**
   * Part of what a run is pinned to. Give another one when the function has changed so that runs under way could not follow it, and register the
   * one before beside it until they have ended. Default "1".
   */
  readonly version?: string;
  /** Of a whole run, its waits included. Default: the manager's `saga.timeoutMs`, 300 s. */
  readonly timeout?: Duration;
  /** Of one execution, from its start to its end or to its next long wait. Default: the run's. */
  readonly attemptTimeout?: Duration;
  /** A run that no instance has begun within this time of its creation ends `failed` and runs nothing. Default: none. */
  readonly startTimeout?: Duration;
  /** Of executions that fail, counted from the last checkpoint on. What is left out comes from the manager's `recovery`. */
  readonly retry?: RetryOptions;
  /** What a run can be searched by: at most 20 texts of up to 256 characters, by names. Default: none. */
  readonly attributes?: (input: Input) => Readonly<Record<string, string>>;
  /** Throws when the input does not fit; starting then fails with `input-invalid`. */
  readonly checkInput?: (input: Json) => asserts input is Input & Json;
}

/** The name of its one step, in journals and keys. */
const TASK_STEP = "task";

/**
 * A long-running task that is a function. It is started, waited for and operated like a saga; a failure undoes nothing, it ends `failed`.
 * Errors: `definition-invalid` (a bad name, version or duration).
 */
export function task<Input = Json, Output = unknown>(
  name: string,
  run: TaskFunction<Input, Output>,
  options: TaskOptions<Input> = {},
): SagaDefinition {
  const { version = "1", description, timeout, attemptTimeout, startTimeout, retry, attributes, checkInput } = options;
  const msOf = (value: Duration | undefined, key: string): number | null =>
    value === undefined ? null : parseDurationMs(value, `${name}.${key}`);
  const startTimeoutMs = msOf(startTimeout, "startTimeout");
  return defineSaga({
    ...{ name, runType: "task", pivotAfterWave: null, timeoutMs: msOf(timeout, "timeout") },
    waves: [
      {
        steps: [
          {
            ...{ name: TASK_STEP, kind: "function", version, run: run as TaskFunction },
            timeoutMs: msOf(attemptTimeout, "attemptTimeout"),
            retry: retryPolicy(name, retry ?? {}),
          },
        ],
      },
    ],
    ...(startTimeoutMs !== null && { startTimeoutMs }),
    ...(description !== undefined && { description }),
    ...(attributes !== undefined && {
      attributes: attributes as (input: Json) => Readonly<Record<string, string>>,
    }),
    ...(checkInput !== undefined && { checkInput: checkInput as (input: Json) => void }),
  });
}
