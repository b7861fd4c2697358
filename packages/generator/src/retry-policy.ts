/** How failed attempts are repeated, every key of it decided. */
export interface RetryPolicy {
  /** The first try counts. */
  readonly maxAttempts: number;
  readonly backoff: "exponential" | "linear" | "fixed";
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  readonly jitter: "full" | "none";
  readonly nonRetryable: readonly string[];
}
