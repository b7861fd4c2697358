import { BusinessRefusal, type ErrorCode, RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import { classifyError } from "../participants/answer.js";
import { type Refusal, RememberedRefusal, refusalOf } from "./verdict.js";

/** What is sent back; the body is JSON text, undefined for none. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** A step that returned nothing, or a compensation: 204, which a run takes for an output of null. */
export function answerWith(output: Json): HttpAnswer {
  if (output === null) return { status: 204, headers: {}, body: undefined };
  return { status: 200, headers: { "content-type": "application/json; charset=utf-8" }, body: JSON.stringify(output) };
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  402: "Payment Required",
  404: "Not Found",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  422: "Unprocessable Content",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** What the barrier says of a call. */
const STATUS: Partial<Readonly<Record<ErrorCode, number>>> = {
  "in-progress": 409,
  "stale-fence": 409,
  "store-unavailable": 503,
};

/** A refusal, or what the barrier says, as problem details (RFC 9457); undefined for an error that is the framework's to answer. */
export function problemOf(error: unknown): HttpAnswer | undefined {
  if (error instanceof BusinessRefusal) return problem(refusalOf(error));
  const status = error instanceof RuntimeError ? STATUS[error.code] : undefined;
  if (!(error instanceof RuntimeError) || status === undefined) return undefined;
  return problem({ status, code: error.code, message: error.message });
}

/** For a call that cannot be read. */
export function malformed(error: RuntimeError): HttpAnswer {
  return problem({ status: 400, code: error.code, message: error.message });
}

/** Problem details (RFC 9457). */
export function problem({ status, code, message }: Refusal): HttpAnswer {
  const body = { type: "about:blank", title: TITLES[status] ?? "Error", status, code, detail: message };
  return {
    status,
    headers: {
      "content-type": "application/problem+json; charset=utf-8",
      ...((code === "in-progress" || status === 503) && { "retry-after": "1" }),
    },
    body: JSON.stringify(body),
  };
}

/**
 * Runs a step's handler; what it throws with a status that the caller will read as a refusal (`statusCode` or `status`, as
 * frameworks have it) becomes one, so that the barrier remembers it. `refusals`: what counts as one though it usually
 * means a fault of configuration. A synchronous handler stays so.
 */
export function refusing(handler: () => unknown, refusals: readonly number[]): unknown {
  const rethrow = (error: unknown): never => {
    throw refusalBy(error, refusals) ?? error;
  };
  try {
    const result = handler();
    return result instanceof Promise ? result.catch(rethrow) : result;
  } catch (error) {
    return rethrow(error);
  }
}

function refusalBy(error: unknown, refusals: readonly number[]): RememberedRefusal | undefined {
  if (!(error instanceof Error) || error instanceof BusinessRefusal) return undefined;
  const { statusCode, status = statusCode, code } = error as { statusCode?: unknown; status?: unknown; code?: unknown };
  if (typeof status !== "number" || status < 400 || status > 499) return undefined;
  const answer = { status, message: error.message, ...(typeof code === "string" && { code }) };
  const outcome = classifyError(answer, refusals);
  if (outcome.kind !== "refused") return undefined;
  return new RememberedRefusal({ status, code: outcome.error.code, message: outcome.error.message });
}
