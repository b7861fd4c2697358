import { RuntimeError } from "./errors.js";
import type { RetryPolicy } from "./saga/definition.js";

/** How runs are executed and sessions live. Durations in ms. Mirrors the `session:` block of the config file. */
export interface SessionConfig {
  readonly saga: SagaConfig;
  readonly context: ContextConfig;
  readonly checkpoint: CheckpointConfig;
  readonly recovery: RecoveryConfig;
  readonly retention: RetentionConfig;
  readonly rotation: RotationConfig;
  readonly limits: LimitsConfig;
}

export interface SagaConfig {
  /** Default true. */
  readonly enabled: boolean;
  /**
   * How sagas go that do not say it themselves. `orchestration`: the owner of a run calls its stages; `choreography`: they react to each
   * other's events. Default `orchestration`.
   */
  readonly orchestration: "orchestration" | "choreography";
  /** Of a whole run, without the compensations. Default 300,000. */
  readonly timeoutMs: number;
}

export interface ContextConfig {
  /** Which store holds sessions and contexts. Default redis. A note for whoever builds the stores; the managers take what they are given. */
  readonly storage: "redis" | "sqlite" | "memory" | "postgres";
  /** Idle time of a session, and of a run's hot context after each save. At most `absoluteTtlMs`. Default 3,600,000. */
  readonly ttlMs: number;
  /** Absolute lifetime of a login session. Default 86,400,000. */
  readonly absoluteTtlMs: number;
  /** Put before keys by stores with one flat space of keys; the memory and sqlite stores ignore it. Default `session:`. */
  readonly prefix: string;
}

export interface CheckpointConfig {
  /** Default true; false: no snapshots. */
  readonly enabled: boolean;
  /** ms for `time`, completed steps for `count`; unused otherwise. Default 30,000: set it with `count`. */
  readonly interval: number;
  /** Default `time`. What a step wrote on the way and is not yet in a snapshot is lost in a crash: that is the bound. */
  readonly strategy: "time" | "step" | "count" | "manual";
  /** Attempts after the first to save the hot copy of a context. A snapshot travels in its append and needs none. Default 3. */
  readonly maxRetries: number;
  /** Snapshots kept per run. Default 10. */
  readonly keep: number;
}

export interface RecoveryConfig extends RetryPolicy {
  /** Default true; false: one attempt per step, then `failed`. */
  readonly enabled: boolean;
  /** What happens when attempts are spent or a participant refuses. Default `compensate`. */
  readonly strategy: "compensate" | "retry" | "manual";
  /** How long an instance may be silent before its runs are taken over; renewed at least three times in that time. Default 10,000. */
  readonly leaseMs: number;
  /** How often a process may die of one run, which is driven apart from others by then, before it is parked `stuck`. Default 3. */
  readonly maxCrashes: number;
}

export interface RetentionConfig {
  /** How long a run is kept after it ended, with its journal and its key. Null: for ever. Default 2,592,000,000 (30 days). */
  readonly endedMs: number | null;
}

export interface RotationConfig {
  /** Age at which the token of a login session is replaced, when its owner comes by. Null: only when asked. Default null. */
  readonly periodMs: number | null;
  /** How long the token before is still taken, so that requests under way are not logged out. Default 30,000. */
  readonly graceMs: number;
}

export interface LimitsConfig {
  /** Live login sessions that a subject may have at once. Null: any number. Default null. */
  readonly perSubject: number | null;
  /** What becomes of one more: the oldest makes room, or it is refused (`session-limit-reached`). Default `evict-oldest`. */
  readonly policy: "deny" | "evict-oldest";
}

/** What `resolveConfig` fills in. */
export const DEFAULT_CONFIG: SessionConfig = {
  saga: { enabled: true, orchestration: "orchestration", timeoutMs: 300_000 },
  context: { storage: "redis", ttlMs: 3_600_000, absoluteTtlMs: 86_400_000, prefix: "session:" },
  checkpoint: { enabled: true, interval: 30_000, strategy: "time", maxRetries: 3, keep: 10 },
  recovery: {
    enabled: true,
    strategy: "compensate",
    maxAttempts: 5,
    backoff: "exponential",
    initialDelayMs: 1_000,
    maxDelayMs: 60_000,
    jitter: "full",
    nonRetryable: [],
    leaseMs: 10_000,
    maxCrashes: 3,
  },
  retention: { endedMs: 30 * 86_400_000 },
  rotation: { periodMs: null, graceMs: 30_000 },
  limits: { perSubject: null, policy: "evict-oldest" },
};

/** Completed steps between two snapshots of strategy `count`. */
const DEFAULT_COUNT_INTERVAL = 30;

/** Any part of the config; what is left out has its default. */
export type PartialConfig = { readonly [Block in keyof SessionConfig]?: Partial<SessionConfig[Block]> };

/**
 * Fills in defaults and refuses contradictions, naming the key in the message and in `details.key`. Errors:
 * `config-invalid` (a number that is not above 0, an idle time beyond the absolute one, a first delay beyond the cap, a grace
 * beyond the period, a limit that is no whole number).
 */
export function resolveConfig(partial: PartialConfig = {}): SessionConfig {
  const config: SessionConfig = {
    saga: { ...DEFAULT_CONFIG.saga, ...partial.saga },
    context: { ...DEFAULT_CONFIG.context, ...partial.context },
    checkpoint: {
      ...DEFAULT_CONFIG.checkpoint,
      ...(partial.checkpoint?.strategy === "count" && { interval: DEFAULT_COUNT_INTERVAL }),
      ...partial.checkpoint,
    },
    recovery: { ...DEFAULT_CONFIG.recovery, ...partial.recovery },
    retention: { ...DEFAULT_CONFIG.retention, ...partial.retention },
    rotation: { ...DEFAULT_CONFIG.rotation, ...partial.rotation },
    limits: { ...DEFAULT_CONFIG.limits, ...partial.limits },
  };
  const positive = (key: string, value: number): void => {
    if (Number.isFinite(value) && value > 0) return;
    throw new RuntimeError("config-invalid", `expected ${key} to be a number above 0, got ${value}`, { key });
  };
  positive("session.saga.timeoutMs", config.saga.timeoutMs);
  positive("session.context.ttlMs", config.context.ttlMs);
  positive("session.context.absoluteTtlMs", config.context.absoluteTtlMs);
  positive("session.checkpoint.interval", config.checkpoint.interval);
  positive("session.checkpoint.keep", config.checkpoint.keep);
  positive("session.recovery.maxAttempts", config.recovery.maxAttempts);
  positive("session.recovery.initialDelayMs", config.recovery.initialDelayMs);
  positive("session.recovery.maxDelayMs", config.recovery.maxDelayMs);
  positive("session.recovery.leaseMs", config.recovery.leaseMs);
  positive("session.recovery.maxCrashes", config.recovery.maxCrashes);
  if (config.retention.endedMs !== null) positive("session.retention.endedMs", config.retention.endedMs);
  if (config.rotation.periodMs !== null) positive("session.rotation.periodMs", config.rotation.periodMs);
  positive("session.rotation.graceMs", config.rotation.graceMs);
  checkRotation(config.rotation);
  checkLimits(config.limits);
  if (config.context.ttlMs > config.context.absoluteTtlMs) {
    throw new RuntimeError(
      "config-invalid",
      `expected session.context.ttlMs of at most absoluteTtlMs (${config.context.absoluteTtlMs}), got ${config.context.ttlMs}; raise absoluteTtlMs as well`,
      { key: "session.context.ttlMs" },
    );
  }
  if (config.recovery.maxDelayMs < config.recovery.initialDelayMs) {
    throw new RuntimeError(
      "config-invalid",
      `expected session.recovery.maxDelayMs of at least initialDelayMs (${config.recovery.initialDelayMs}), got ${config.recovery.maxDelayMs}`,
      { key: "session.recovery.maxDelayMs" },
    );
  }
  return config;
}

/** A token replaced while the one before it is still in its grace would turn that one's honest users into thieves. */
function checkRotation({ periodMs, graceMs }: RotationConfig): void {
  if (periodMs === null || periodMs >= graceMs) return;
  const message = `expected session.rotation.periodMs of at least graceMs (${graceMs}), got ${periodMs}; lower graceMs as well`;
  throw new RuntimeError("config-invalid", message, { key: "session.rotation.periodMs" });
}

function checkLimits({ perSubject, policy }: LimitsConfig): void {
  if (perSubject !== null && !(Number.isSafeInteger(perSubject) && perSubject >= 1)) {
    const message = `expected session.limits.perSubject to be a whole number from 1, or null for no limit, got ${perSubject}`;
    throw new RuntimeError("config-invalid", message, { key: "session.limits.perSubject" });
  }
  if (policy === "deny" || policy === "evict-oldest") return;
  const message = `expected session.limits.policy to be "deny" or "evict-oldest", got ${JSON.stringify(policy)}`;
  throw new RuntimeError("config-invalid", message, { key: "session.limits.policy" });
}
