import { resolveConfig, type SessionConfig } from "@clean-arch/runtime";
import type { Settings } from "../config/settings.js";

/** How sessions live and runs are executed: the `session` block of configs/app.yaml in the runtime's words. */
export function sessionConfig({ app, sessionStorage }: Settings): SessionConfig {
  const { saga, context, checkpoint, recovery, retention, rotation, limits } = app.session;
  return resolveConfig({
    saga: { enabled: saga.enabled, orchestration: saga.orchestration, timeoutMs: saga.timeout },
    context: {
      storage: sessionStorage.kind,
      ttlMs: context.ttl,
      absoluteTtlMs: context.absolute_ttl,
      prefix: context.prefix,
    },
    checkpoint: {
      enabled: checkpoint.enabled,
      strategy: checkpoint.strategy,
      // `count` counts steps; the settings read every interval like seconds.
      interval: checkpoint.strategy === "count" ? Math.ceil(checkpoint.interval / 1_000) : checkpoint.interval,
      maxRetries: checkpoint.max_retries,
      keep: checkpoint.keep,
    },
    recovery: {
      enabled: recovery.enabled,
      strategy: recovery.strategy,
      maxAttempts: recovery.max_attempts,
      backoff: recovery.backoff,
      initialDelayMs: recovery.initial_delay,
      maxDelayMs: recovery.max_delay,
      jitter: recovery.jitter,
      leaseMs: recovery.lease,
      maxCrashes: recovery.max_crashes,
    },
    retention: { endedMs: retention.enabled ? retention.ended : null },
    rotation: { periodMs: rotation.period, graceMs: rotation.grace_period },
    limits: { perSubject: limits.per_subject, policy: limits.policy === "deny" ? "deny" : "evict-oldest" },
  });
}
