import type { RetryPolicy, ServiceModel } from "./model.js";
import type { Config, RetryConfig, TaskConfig } from "./spec/schema.js";

/**
 * How failed attempts are repeated, key by key: what a stage, or a compensation, says before what its task says, that before what
 * its service says, and that before `session.recovery`.
 */
export function recoveryPolicy({ session: { recovery } }: Config): RetryPolicy {
  return {
    maxAttempts: recovery.enabled ? recovery.max_attempts : 1,
    backoff: recovery.backoff,
    initialDelayMs: recovery.initial_delay,
    maxDelayMs: recovery.max_delay,
    jitter: recovery.jitter,
    nonRetryable: [],
  };
}

export const over = (base: RetryPolicy, written: RetryConfig | undefined): RetryPolicy => ({
  maxAttempts: written?.max_attempts ?? base.maxAttempts,
  backoff: written?.backoff ?? base.backoff,
  initialDelayMs: written?.initial_delay ?? base.initialDelayMs,
  maxDelayMs: written?.max_delay ?? base.maxDelayMs,
  jitter: written?.jitter ?? base.jitter,
  nonRetryable: written?.non_retryable ?? base.nonRetryable,
});

/** Of one act. `own`: what itself says. */
export function retryOf(
  own: RetryConfig | undefined,
  task: TaskConfig,
  service: ServiceModel,
  recovery: RetryPolicy,
): { readonly retry: RetryPolicy; readonly retryWritten: boolean } {
  return {
    retry: over(over(service.retry ?? recovery, task.retry), own),
    retryWritten: own !== undefined || task.retry !== undefined || service.retry !== null,
  };
}
