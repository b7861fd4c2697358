import { RuntimeError } from "../errors.js";

/** What the session manager says when a session is not what the caller took it for. No message holds a token. */

export function notFound(expected: string, id?: string): RuntimeError {
  const message = `expected ${expected}, got none: it is unknown, expired, revoked or rotated away; sign in again`;
  return new RuntimeError("session-not-found", message, id === undefined ? {} : { sessionId: id });
}

export function moved(id: string, expected: number | undefined, current: number): RuntimeError {
  const message = `expected session ${id} at revision ${expected}, it is at ${current}; load it and try again`;
  return new RuntimeError("session-revision-moved", message, { sessionId: id, expected: expected ?? null, current });
}

export function neverStill(id: string, attempts: number, current: number): RuntimeError {
  const message = `expected session ${id} to hold still for one of ${attempts} attempts, it is at revision ${current}; try again`;
  return new RuntimeError("session-revision-moved", message, { sessionId: id, expected: null, current });
}

export function limitReached(max: number): RuntimeError {
  const message = `expected fewer than ${max} live sessions of the subject, it has as many; end one of them first`;
  return new RuntimeError("session-limit-reached", message, { max });
}
