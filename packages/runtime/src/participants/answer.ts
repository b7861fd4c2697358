import type { Failure } from "../engine/records.js";
import type { StepOutcome } from "../engine/step-outcome.js";

/** A participant's answer with an error status, as far as it matters. */
export interface ErrorAnswer {
  readonly status: number;
  /** Code and sentence of its problem details (RFC 9457), if it gave any. */
  readonly code?: string;
  readonly message?: string;
  readonly retryAfterMs?: number;
}

const MISCONFIGURED = new Set([401, 403, 404, 405]);
/** Refused before anything was done (RFC 8470, RFC 6585). */
const NOT_STARTED = new Set([425, 429]);

/**
 * What an error status means for the step. Retried: 408, 425, 429, 5xx, and 409 `in-progress` or `stale-fence`. A fault of
 * configuration (3xx, 401, 403, 404, 405) is retried too, unless the stage lists the status under `refusals`. Any other
 * 4xx is a business refusal. Unless the status says otherwise, the step may have had its effect.
 */
export function classifyError(answer: ErrorAnswer, refusals: readonly number[] = []): StepOutcome {
  const { status } = answer;
  const failed = (fallback: string, mayHaveRun: boolean): StepOutcome => ({
    kind: "failed",
    error: failureOf(answer, fallback),
    mayHaveRun,
    retry: true,
    ...(answer.retryAfterMs !== undefined && { retryAfterMs: answer.retryAfterMs }),
  });
  // The protocol's own words, whatever a stage says of the status.
  if (status === 409 && answer.code === "in-progress") return failed("in-progress", true);
  // Said to a replaced owner, whose next row is refused. Should the newest one hear it (fences went back with a restored
  // backup), it is a fault that an operator must see and not a no of the business.
  if (status === 409 && answer.code === "stale-fence") return failed("stale-fence", false);
  if (refusals.includes(status)) return { kind: "refused", error: failureOf(answer, "refused") };
  if (status < 400 || MISCONFIGURED.has(status)) return failed("misconfigured", false);
  if (NOT_STARTED.has(status)) return failed("not-started", false);
  if (status === 408 || status >= 500) return failed("unavailable", true);
  return { kind: "refused", error: failureOf(answer, "refused") };
}

/** True for statuses that point at a wrong url, token or method rather than at a bad day of the service. */
export function isMisconfiguration(status: number): boolean {
  return status < 400 || MISCONFIGURED.has(status);
}

function failureOf({ status, code, message }: ErrorAnswer, fallback: string): Failure {
  return {
    code: (code ?? fallback).slice(0, 100),
    message: (message ?? `the service answered ${status}`).slice(0, 500),
    status,
  };
}
