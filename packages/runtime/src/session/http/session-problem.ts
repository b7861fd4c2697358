import { STATUS_CODES } from "node:http";
import { RuntimeError } from "../../errors.js";

/** What is sent instead of the handler's answer; the body is JSON text. */
export interface SessionProblem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Problem details (RFC 9457) of an error of the runtime, for your own error handler; undefined for any other error. */
export function sessionProblemOf(error: unknown): SessionProblem | undefined {
  return error instanceof RuntimeError ? problem(error) : undefined;
}

/** The same, and for any other error one that tells nothing of it. */
export function answerOf(error: unknown): SessionProblem {
  return sessionProblemOf(error) ?? problem(new RuntimeError("internal", "The session could not be read or written."));
}

function problem({ status, code, message, details, retry }: RuntimeError): SessionProblem {
  const waits = retry && (status === 429 || status === 503);
  const body = { type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, code, detail: message };
  return {
    status,
    headers: {
      "content-type": "application/problem+json; charset=utf-8",
      "cache-control": "no-store",
      ...(waits && { "retry-after": String(secondsOf(details.retryAfterMs)) }),
    },
    body: JSON.stringify(body),
  };
}

function secondsOf(ms: unknown): number {
  return typeof ms === "number" ? Math.max(1, Math.ceil(ms / 1_000)) : 1;
}

/** Headers that speak of the answer which is not sent. */
export function speaksOfBody(name: string): boolean {
  return name.startsWith("content-") ? name !== "content-security-policy" : OF_BODY.has(name);
}

const OF_BODY = new Set([
  "accept-ranges",
  "etag",
  "last-modified",
  "expires",
  "location",
  "transfer-encoding",
  "trailer",
  "refresh",
]);
