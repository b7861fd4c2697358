/**
 * A session's two deadlines. The idle one moves with activity, the absolute one is set at creation and never moves; the
 * nearer one ends the session. Pure; `now` is the store's clock.
 */

/** The nearer deadline of a session that is active now. */
export function deadline(now: number, idleMs: number, absoluteExpiresAt: number | null): number {
  return Math.min(now + idleMs, absoluteExpiresAt ?? Number.POSITIVE_INFINITY);
}

/** A session lives up to its deadline and not during that millisecond. */
export function isLive(session: { readonly expiresAt: number }, now: number): boolean {
  return now < session.expiresAt;
}

/**
 * Whether a touch is worth a write. Below a tenth of the idle time it is not: a busy session then costs ten writes per
 * idle time, and may end that tenth early.
 */
export function isTouchDue(session: { readonly touchedAt: number; readonly idleMs: number }, now: number): boolean {
  return now - session.touchedAt >= session.idleMs / 10;
}
