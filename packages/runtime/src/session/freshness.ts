import { RuntimeError } from "../errors.js";
import type { Session } from "./manager.js";

/** How a route wants its caller to have signed in (OWASP ASVS 5.0, 7.5). Without either, that it did at all. */
export interface Freshness {
  /** The sign-in is younger than this, ms. */
  readonly maxAgeMs?: number;
  /** The sign-in has this level of assurance, or a higher one. */
  readonly level?: number;
}

/** Pure; `now` in ms since the epoch. A session without a sign-in is never fresh. */
export function isFresh({ signIn }: Pick<Session, "signIn">, { maxAgeMs, level }: Freshness, now: number): boolean {
  if (signIn === null) return false;
  // A number that is none compares as false, which is not fresh.
  const isYoung = maxAgeMs === undefined || now - signIn.at < maxAgeMs;
  return isYoung && (level === undefined || signIn.level >= level);
}

/**
 * Throws `session-stale-sign-in` (401) unless `isFresh`. Its details are what is required, `maxAgeMs` and `level`, for the
 * challenge that an adapter sends (RFC 9470); `stepUp` or `signIn` of the session manager make the session fresh.
 */
export function requireFresh(session: Pick<Session, "signIn">, required: Freshness, now: number): void {
  if (isFresh(session, required, now)) return;
  const { maxAgeMs, level } = required;
  const age = maxAgeMs === undefined ? "" : ` younger than ${maxAgeMs} ms`;
  const assurance = level === undefined ? "" : ` of level ${level} or higher`;
  const { signIn } = session;
  const got = signIn === null ? "none" : `one of level ${signIn.level}, ${now - signIn.at} ms old`;
  const message = `expected a sign-in${assurance}${age}, got ${got}; prove anew who you are`;
  const details = { ...(maxAgeMs !== undefined && { maxAgeMs }), ...(level !== undefined && { level }) };
  throw new RuntimeError("session-stale-sign-in", message, details);
}
