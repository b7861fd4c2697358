import type { RetryPolicy } from "../saga/definition.js";

/** A participant that asks for longer than this is not believed. */
const MAX_RETRY_AFTER_MS = 24 * 3_600_000;

/**
 * Delay before the next attempt after the `failures`-th failure (1 or more), in ms. Full jitter draws from 0 to the
 * computed delay (AWS Architecture Blog, "Exponential Backoff And Jitter"). A participant's `Retry-After` is a lower bound.
 */
export function backoffMs(policy: RetryPolicy, failures: number, random: () => number, retryAfterMs = 0): number {
  const factor =
    policy.backoff === "exponential" ? 2 ** Math.min(failures - 1, 52) : policy.backoff === "linear" ? failures : 1;
  const cappedMs = Math.min(policy.initialDelayMs * factor, policy.maxDelayMs);
  const delayMs = policy.jitter === "full" ? random() * cappedMs : cappedMs;
  return Math.ceil(Math.max(delayMs, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS)));
}
