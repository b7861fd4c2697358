import type { ExpiredSession } from "../../store/session-store.js";
import type { Database } from "./database.js";
import { toEnded } from "./session-row.js";

const CLAIM = `
update clean_arch_sessions set claimed_until = ? where id in (
  select id from clean_arch_sessions where max(expires_at, claimed_until) <= ?
  order by max(expires_at, claimed_until) limit ?)
returning id, kind, subject, expires_at as "expiredAt"`;

/** Claims what expired, the longest due first. One statement. */
export function sweepSessions(db: Database, limit: number, claimMs: number, now: number): ExpiredSession[] {
  const rows = db.all<ExpiredSession>(CLAIM, [now + claimMs, now, limit]);
  return rows.map((row) => ({ ...toEnded(row), expiredAt: row.expiredAt }));
}

/** Within a transaction. By the deadline too: another session may have the id by now. */
export function settleSessions(db: Database, expired: readonly ExpiredSession[]): void {
  for (const { id, expiredAt } of expired)
    db.run("delete from clean_arch_sessions where id = ? and expires_at = ?", [id, expiredAt]);
}
