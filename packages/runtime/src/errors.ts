/**
 * One class, a closed set of codes, one table. `retry` tells a caller whether the same call may succeed later;
 * `status` is the HTTP status a service answers with.
 */
export const ERRORS = {
  "config-invalid": { status: 500, retry: false, meaning: "A configured value is missing or does not fit." },
  "definition-invalid": { status: 500, retry: false, meaning: "A saga or task is not well formed." },
  "definition-unknown": { status: 404, retry: false, meaning: "No saga or task of that name is registered here." },
  "feature-unavailable": {
    status: 501,
    retry: false,
    meaning: "The feature exists in the contract, not in this version.",
  },
  "idempotency-key-reused": { status: 409, retry: false, meaning: "The key was used before with another input." },
  "input-invalid": { status: 422, retry: false, meaning: "The input or payload is refused." },
  "payload-too-large": { status: 413, retry: false, meaning: "A payload exceeds its bound." },
  "source-invalid": { status: 502, retry: true, meaning: "The source of a batch gave something that does not fit." },
  "run-exists": { status: 409, retry: false, meaning: "The key has a run already, and the start was to be the first." },
  "run-not-found": { status: 404, retry: false, meaning: "No run has that id." },
  "run-ended": { status: 409, retry: false, meaning: "The run has ended, and takes nothing in any more." },
  "too-many-signals": {
    status: 429,
    retry: true,
    meaning: "The run keeps as many signals as it may that no step has taken.",
  },
  "verb-forbidden": { status: 409, retry: false, meaning: "The state of the run forbids the verb." },
  "inbox-full": { status: 429, retry: true, meaning: "The run has as many unread messages as it keeps." },
  "in-progress": { status: 409, retry: true, meaning: "The same call is still being worked on." },
  "stale-fence": {
    status: 409,
    retry: true,
    meaning: "A replaced owner of the run is speaking: a higher fence was seen for it.",
  },
  "lease-lost": { status: 503, retry: true, meaning: "Another instance owns the run now." },
  "store-unavailable": { status: 503, retry: true, meaning: "The store does not answer." },
  "store-incompatible": {
    status: 500,
    retry: false,
    meaning: "The store's schema or settings do not fit this version.",
  },
  "broker-unavailable": { status: 503, retry: true, meaning: "The broker does not answer." },
  "broker-incompatible": {
    status: 500,
    retry: false,
    meaning: "The broker's version or settings do not fit this version.",
  },
  "event-invalid": { status: 422, retry: false, meaning: "An event is no CloudEvent 1.0 in its JSON format." },
  "event-unknown": {
    status: 422,
    retry: false,
    meaning: "The handlers of a group do not know this type or version of an event.",
  },
  "runtime-stopped": { status: 503, retry: true, meaning: "The runtime is stopping or was never started." },
  overloaded: { status: 429, retry: true, meaning: "A bound of this instance is reached." },
  "session-not-found": {
    status: 401,
    retry: false,
    meaning: "No live session: unknown, expired, revoked or rotated away.",
  },
  "session-limit-reached": {
    status: 409,
    retry: false,
    meaning: "The subject has as many live sessions as it may have.",
  },
  "session-stale-sign-in": {
    status: 401,
    retry: false,
    meaning: "The sign-in is too old or not sure enough: prove anew who you are.",
  },
  "session-csrf": { status: 403, retry: false, meaning: "The request did not come from a page of this site." },
  "session-guessing": { status: 429, retry: true, meaning: "Too many unknown tokens came from one address." },
  "session-revision-moved": { status: 412, retry: true, meaning: "The session changed since the revision given." },
  internal: { status: 500, retry: false, meaning: "A fault of ours." },
} as const satisfies Record<string, { status: number; retry: boolean; meaning: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** Every error the runtime throws on purpose. The message says what was expected, what was got, and what to do. */
export class RuntimeError extends Error {
  override readonly name = "RuntimeError";
  readonly code: ErrorCode;
  /** Facts for programs: offending key, id, allowed values. Never secrets. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: Record<string, unknown> = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get retry(): boolean {
    return ERRORS[this.code].retry;
  }
}

/**
 * Thrown by a step's handler to say no for a business reason (the `4xx` of a local participant): the step is not
 * retried and the saga unwinds. Any other throw counts as a fault and is retried.
 */
export class BusinessRefusal extends Error {
  override readonly name = "BusinessRefusal";
  /** Short and stable, for programs; default `refused`. */
  readonly code: string;

  constructor(message: string, code = "refused") {
    super(message);
    this.code = code;
  }
}
