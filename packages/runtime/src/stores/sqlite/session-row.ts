import { decodeData, encodeData } from "../../store/session-data.js";
import { deadline, isTouchDue } from "../../store/session-deadlines.js";
import type {
  Device,
  EndedSession,
  NewSession,
  SessionKind,
  SessionRecord,
  SignIn,
} from "../../store/session-store.js";
import type { SessionTokens } from "../../store/session-tokens.js";
import { signInOf } from "../../store/sign-in.js";
import type { SqlValue } from "./driver.js";

/** What the statements on sessions select. */
export interface SessionRow {
  readonly id: string;
  readonly kind: SessionKind;
  readonly subject: string | null;
  readonly tokens: string | null;
  readonly data: string;
  readonly revision: number;
  readonly created_at: number;
  readonly touched_at: number;
  readonly rotated_at: number;
  readonly idle_ms: number;
  readonly expires_at: number;
  readonly absolute_expires_at: number | null;
  readonly sign_in: string | null;
  readonly device: string | null;
  readonly owner: string | null;
}

export const SESSION_COLUMNS =
  "id, kind, subject, tokens, data, revision, created_at, touched_at, rotated_at, idle_ms, expires_at, absolute_expires_at, sign_in, device, owner";

/** The same without the data, which may be large. */
export const HEAD_COLUMNS = SESSION_COLUMNS.replace(" data,", " '{}' as data,");

export const ENDED_COLUMNS = "id, kind, subject";

/** Takes the time, three times over. Moves the idle deadline; nothing moves it back. */
export const TOUCH = `touched_at = max(touched_at, ?), expires_at = max(expires_at, min(? + idle_ms, coalesce(absolute_expires_at, ? + idle_ms)))`;

/** Values of `SESSION_COLUMNS`. Throws as `encodeData` does. */
export function newSessionValues(session: NewSession, now: number): SqlValue[] {
  const { id, kind, subject, tokenHash, idleMs, absoluteMs, device, owner } = session;
  const absoluteExpiresAt = absoluteMs === null ? null : now + absoluteMs;
  const tokens = tokenHash === null ? null : encodeTokens({ current: tokenHash, previous: null, retired: [] });
  return [
    ...[id, kind, subject, tokens, encodeData(kind, session.data), 1, now, now, now, idleMs],
    ...[deadline(now, idleMs, absoluteExpiresAt), absoluteExpiresAt],
    ...[encodeSignIn(signInOf(session.signIn, now)), device ? JSON.stringify(device) : null],
    kind === "context" ? (owner ?? null) : null,
  ];
}

export function encodeTokens(tokens: SessionTokens): string {
  return JSON.stringify(tokens);
}

export function decodeTokens(row: SessionRow): SessionTokens | undefined {
  return row.tokens === null ? undefined : (JSON.parse(row.tokens) as SessionTokens);
}

export function encodeSignIn(signIn: SignIn | null): string | null {
  return signIn && JSON.stringify(signIn);
}

export function isRowTouchDue(row: SessionRow, now: number): boolean {
  return isTouchDue({ touchedAt: row.touched_at, idleMs: row.idle_ms }, now);
}

export function toSessionRecord(row: SessionRow): SessionRecord {
  return {
    id: row.id,
    kind: row.kind,
    subject: row.subject,
    data: decodeData(row.data),
    revision: row.revision,
    createdAt: row.created_at,
    touchedAt: row.touched_at,
    rotatedAt: row.rotated_at,
    idleMs: row.idle_ms,
    expiresAt: row.expires_at,
    absoluteExpiresAt: row.absolute_expires_at,
    signIn: row.sign_in === null ? null : (JSON.parse(row.sign_in) as SignIn),
    device: row.device === null ? null : (JSON.parse(row.device) as Device),
    owner: row.owner,
  };
}

/** A plain object: the drivers' rows have no prototype. */
export function toEnded({ id, kind, subject }: EndedSession): EndedSession {
  return { id, kind, subject };
}
