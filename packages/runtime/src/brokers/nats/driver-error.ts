import { RuntimeError } from "../../errors.js";

/** This user may not, whatever comes later. */
const REFUSED = new Set(["AuthorizationError", "UserAuthenticationExpiredError", "PermissionViolationError"]);

/**
 * What the driver threw, as the runtime's error: `broker-incompatible` when the server is not for this user or cannot do what is
 * asked, and `broker-unavailable` when it does not answer, or says that it cannot now.
 */
export function fromDriver(error: unknown): RuntimeError {
  if (error instanceof RuntimeError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const cause = { cause: error };
  if (error instanceof Error && REFUSED.has(error.name)) {
    const message = `expected a user who may publish, subscribe and use JetStream, got from NATS: ${text}; check the user and its permissions`;
    return new RuntimeError("broker-incompatible", message, {}, cause);
  }
  const answer = apiErrorOf(error);
  if (answer !== null && answer.status !== 503) {
    const message = `expected JetStream to do what was asked, got: ${answer.description} (${answer.code})`;
    return new RuntimeError("broker-incompatible", message, { jetstream: answer.code }, cause);
  }
  const message = `expected NATS to answer, got: ${text}; check that it runs and is reachable`;
  return new RuntimeError("broker-unavailable", message, {}, cause);
}

export interface ApiError {
  /** As of HTTP. */
  readonly status: number;
  /** The number that JetStream gives each of its errors. */
  readonly code: number;
  readonly description: string;
}

/** What JetStream itself answered; null: the error is of the connection, or nobody answered. */
export function apiErrorOf(error: unknown): ApiError | null {
  if (!(error instanceof Error)) return null;
  if ("code" in error && "status" in error && typeof error.code === "number" && typeof error.status === "number")
    return { status: error.status, code: error.code, description: error.message };
  // The driver wraps the answer that the account has no JetStream, but also that nobody answers.
  return error.name === "JetStreamNotEnabled" ? apiErrorOf(error.cause) : null;
}

/** Nobody listens on the subject: the stream or the consumer is not there, or its server is not ready yet. Nothing was stored. */
export function isNobodyThere(error: unknown): boolean {
  return error instanceof Error && error.name === "JetStreamNotEnabled" && apiErrorOf(error) === null;
}

/** Numbers of JetStream's errors, as its server's `errors.json` has them. */
export const JETSTREAM = {
  consumerNotFound: 10014,
  streamNotFound: 10059,
  messageTooLarge: 10054,
} as const;

export function isAnswer(error: unknown, code: (typeof JETSTREAM)[keyof typeof JETSTREAM]): boolean {
  return apiErrorOf(error)?.code === code;
}
