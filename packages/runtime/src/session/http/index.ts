export type { CookieOptions } from "./cookie.js";
export type { CsrfOptions } from "./csrf.js";
export type { GuessingOptions } from "./guessing.js";
export type { BearerOptions, HttpSessionOptions, Transport } from "./http-sessions.js";
export type { LoadOptions, RequestSession } from "./request-session.js";
export type * from "./session-fields.js";
export { type SessionProblem, sessionProblemOf } from "./session-problem.js";
export type { SessionRequest } from "./session-request.js";
