import type { Json } from "../json.js";

/** Computed from the run by its owner, once for all attempts of the step, and journaled. Pure: it may be computed again. */
export interface Expression {
  /** JSONata; null: a function. */
  readonly source: string | null;
  /** May throw, and then the step fails for good. */
  evaluate(scope: ExpressionScope): unknown;
}

export interface ExpressionScope {
  /** The run's. */
  readonly input: Json;
  /** Of steps in earlier waves, by name. */
  readonly outputs: Readonly<Record<string, Json>>;
  readonly context: Readonly<Record<string, Json>>;
  /** Of a step that maps over a list: the item, and its place from 0 on. */
  readonly item?: Json;
  readonly index?: number;
  /** The store's clock as far as it is known, ms since the epoch. */
  readonly now: number;
}

export interface ServiceCall {
  readonly service: string;
  /** Path with one leading slash. */
  readonly endpoint: string;
  /** Default POST. */
  readonly method?: string;
  /** Statuses that count as a business refusal though they usually mean a fault of configuration. */
  readonly refusals?: readonly number[];
}

export interface RetryPolicy {
  /** Attempts in all, the first one included. Default 5. */
  readonly maxAttempts: number;
  /** Default exponential. */
  readonly backoff: "exponential" | "linear" | "fixed";
  /** Default 1,000. */
  readonly initialDelayMs: number;
  /** Cap of one delay. Default 60,000. */
  readonly maxDelayMs: number;
  /** `full`: a delay is drawn from 0 to the computed one. Default full. */
  readonly jitter: "full" | "none";
  /**
   * Failures that end the act at once: codes such as `validation-failed`, statuses of answers as `http-404`, and beginnings of
   * either, `http-4*`. The more specific list stands in for the others. Default: none.
   */
  readonly nonRetryable: readonly string[];
}
