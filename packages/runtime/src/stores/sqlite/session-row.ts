import { decodeData } from "../../store/session-data.js";
import type { SessionKind, SessionRecord } from "../../store/session-store.js";

/** What the statements on sessions select. */
export interface SessionRow {
  readonly id: string;
  readonly kind: SessionKind;
  readonly subject: string | null;
  readonly data: string;
  readonly revision: number;
  readonly created_at: number;
  readonly touched_at: number;
  readonly idle_ms: number;
  readonly expires_at: number;
  readonly absolute_expires_at: number | null;
}

export const SESSION_COLUMNS =
  "id, kind, subject, data, revision, created_at, touched_at, idle_ms, expires_at, absolute_expires_at";

export function toSessionRecord(row: SessionRow): SessionRecord {
  return {
    id: row.id,
    kind: row.kind,
    subject: row.subject,
    data: decodeData(row.data),
    revision: row.revision,
    createdAt: row.created_at,
    touchedAt: row.touched_at,
    idleMs: row.idle_ms,
    expiresAt: row.expires_at,
    absoluteExpiresAt: row.absolute_expires_at,
  };
}
