import { backoffMs } from "../engine/backoff.js";
import type { Failure } from "../engine/records.js";
import { isNonRetryable } from "../engine/retryable.js";
import { BusinessRefusal, RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import type { RetryPolicy } from "../saga/definition.js";
import type { Cut } from "./attempt-bound.js";

/** An item while its chunk is worked here. */
export interface ItemInHand {
  readonly key: string;
  readonly item: Json;
  /** Begun so far. */
  attempts: number;
  /** Of the present act, that ended in a failure. */
  failures: number;
  /** When the next one may begin, by the monotonic clock. */
  dueAt: number;
}

/** What an attempt came to; `retryMs`: it is tried again after so long. */
export type AttemptEnd = "done" | "skipped" | AfterFailure;

export type AfterFailure = { readonly failed: Failure } | { readonly retryMs: number };

/** What is done for an item, attempt by attempt. Answers at once where the act does. Never throws. */
export interface ItemActs {
  attempt(item: ItemInHand): AttemptEnd | Promise<AttemptEnd>;
}

/** What comes after an attempt that failed, and might be made again. Counts it. */
export function afterFailure(
  item: ItemInHand,
  error: Failure,
  policy: RetryPolicy,
  random: () => number,
  retryAfterMs = 0,
): AfterFailure {
  item.failures += 1;
  if (item.failures >= policy.maxAttempts || isNonRetryable(policy.nonRetryable, error)) return { failed: error };
  return { retryMs: backoffMs(policy, item.failures, random, retryAfterMs) };
}

/** What a handler threw, for programs and for people; `isRefusal`: it is not tried again. */
export function failureOf(error: unknown): { readonly error: Failure; readonly isRefusal: boolean } {
  const message = (error instanceof Error ? error.message : String(error)).slice(0, 500);
  if (error instanceof BusinessRefusal) return { error: { code: error.code, message }, isRefusal: true };
  return { error: { code: error instanceof RuntimeError ? error.code : "handler-threw", message }, isRefusal: false };
}

export function cutShort({ key }: Pick<ItemInHand, "key">, { reason }: Cut): Failure {
  return { code: "timeout", message: `item ${JSON.stringify(key.slice(0, 100))} was cut short: ${reason}` };
}
