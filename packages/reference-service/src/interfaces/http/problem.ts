/**
 * Problem details (RFC 9457). Every error a client meets has this shape, with a stable `code`; none shows a stack, and
 * what is not known to be the client's fault says nothing but that it was ours.
 */
import type { FastifyReply } from "fastify";
import { Refusal, type RefusalCode, RuntimeError, type Violation } from "../../application/errors.js";

export const PROBLEM_MEDIA_TYPE = "application/problem+json";
export const PROBLEM_TYPE = `${PROBLEM_MEDIA_TYPE}; charset=utf-8`;

/** Thrown by routes and hooks; its fields are shown to the client as they are. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly code: string;
  readonly errors: readonly Violation[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, detail: string, extras: ProblemExtras = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.errors = extras.errors ?? [];
    this.headers = extras.headers ?? {};
  }
}

interface ProblemExtras {
  readonly errors?: readonly Violation[];
  readonly headers?: Readonly<Record<string, string>>;
}

const REFUSAL_STATUS: Readonly<Record<RefusalCode, number>> = {
  "not-found": 404,
  "validation-failed": 422,
  "unique-violation": 409,
  "reference-missing": 422,
  "still-referenced": 409,
  "revision-moved": 412,
  "cursor-invalid": 422,
  "event-failed": 409,
  "group-missing": 409,
};

/** What Fastify refuses before a route runs. */
const FRAMEWORK: Readonly<Record<string, readonly [status: number, code: string, detail: string]>> = {
  FST_ERR_MAX_PARAM_LENGTH: [404, "not-found", "Nothing has a name or an id of this length."],
  FST_ERR_BAD_URL: [400, "malformed-url", "The path is not a valid URL: check its percent-encoding."],
  FST_ERR_CTP_BODY_TOO_LARGE: [413, "payload-too-large", "The body is larger than this service takes."],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, "unsupported-media-type", "Send application/json."],
  FST_ERR_CTP_EMPTY_TYPE: [415, "unsupported-media-type", "Send a Content-Type: application/json."],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, "malformed-request", "The body's size is not the announced one."],
  FST_ERR_CTP_EMPTY_JSON_BODY: [400, "malformed-json", "Expected a JSON body, got an empty one."],
  FST_ERR_ROUTE_MISSING_CONTENT_TYPE: [415, "unsupported-media-type", "Send a Content-Type: application/json."],
};

/** The status phrase, as RFC 9457 wants the title of an `about:blank` problem. */
const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
};

export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Refusal) {
    return new Problem(REFUSAL_STATUS[error.code], error.code, error.message, { errors: error.violations });
  }
  if (error instanceof RuntimeError) return runtimeProblem(error);
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  const known = typeof code === "string" ? FRAMEWORK[code] : undefined;
  if (known !== undefined) return new Problem(...known);
  if (typeof statusCode === "number" && statusCode >= 400 && statusCode < 500) {
    return new Problem(statusCode, "malformed-request", "The request cannot be read.");
  }
  if (statusCode === 503) return new Problem(503, "stopping", "The service is stopping.", retryAfter);
  return new Problem(500, "internal", "The service failed. The request id leads to its logs.");
}

const retryAfter: ProblemExtras = { headers: { "retry-after": "1" } };

function runtimeProblem(error: RuntimeError): Problem {
  // A fault of configuration or code tells its message to the logs, not to the client.
  const detail = error.status === 500 ? "The service failed. The request id leads to its logs." : error.message;
  return new Problem(error.status, error.code, detail, { headers: headersOf(error) });
}

function headersOf({ status, details }: RuntimeError): Record<string, string> {
  if (status === 401) return { "www-authenticate": 'Bearer realm="session"' };
  if (status !== 503 && status !== 429) return {};
  const { retryAfterMs } = details;
  const seconds = typeof retryAfterMs === "number" ? Math.max(1, Math.ceil(retryAfterMs / 1_000)) : 1;
  return { "retry-after": String(seconds) };
}

export function problemBody(problem: Problem, requestId?: string): object {
  return {
    type: "about:blank",
    title: TITLES[problem.status] ?? "Error",
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    ...(problem.errors.length > 0 ? { errors: problem.errors } : {}),
    ...(requestId === undefined ? {} : { request_id: requestId }),
  };
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .headers({ "cache-control": "no-store", ...problem.headers })
    .type(PROBLEM_TYPE)
    .send(problemBody(problem, reply.request.id));
}
