import { decodeData, encodeData } from "../../store/session-data.js";
import { deadline } from "../../store/session-deadlines.js";
import type { EndedSession, NewSession, SessionHead, SessionRecord } from "../../store/session-store.js";
import type { SessionTokens } from "../../store/session-tokens.js";
import { signInOf } from "../../store/sign-in.js";

/** A session as the memory store holds it. Replaced, never changed. */
export interface SessionEntry extends SessionHead {
  /** JSON text, so that no caller holds a live object of the store. */
  readonly data: string;
  /** Null for a context. */
  readonly tokens: SessionTokens | null;
  /** An expired one is not handed out again before. */
  readonly claimedUntil: number;
}

/** Throws as `encodeData` does. */
export function newEntry(session: NewSession, now: number): SessionEntry {
  const { id, kind, tokenHash, subject, idleMs, absoluteMs, signIn, device = null, owner = null } = session;
  const absoluteExpiresAt = absoluteMs === null ? null : now + absoluteMs;
  return {
    ...{ id, kind, subject, revision: 1, createdAt: now, touchedAt: now, rotatedAt: now, idleMs, absoluteExpiresAt },
    ...{ expiresAt: deadline(now, idleMs, absoluteExpiresAt), claimedUntil: 0 },
    owner: kind === "context" ? owner : null,
    data: encodeData(kind, session.data),
    signIn: signInOf(signIn, now),
    device: device && { ...device },
    tokens: tokenHash === null ? null : { current: tokenHash, previous: null, retired: [] },
  };
}

/** Active now: the idle deadline moves, never back. */
export function touched(entry: SessionEntry, now: number): SessionEntry {
  const touchedAt = Math.max(entry.touchedAt, now);
  return { ...entry, touchedAt, expiresAt: deadline(touchedAt, entry.idleMs, entry.absoluteExpiresAt) };
}

export function toRecord(entry: SessionEntry): SessionRecord {
  const { tokens: _tokens, claimedUntil: _until, data, signIn, device, ...head } = entry;
  return {
    ...head,
    data: decodeData(data),
    signIn: signIn && { ...signIn, methods: [...signIn.methods] },
    device: device && { ...device },
  };
}

export function toEnded({ id, kind, subject }: SessionEntry): EndedSession {
  return { id, kind, subject };
}

interface Place {
  readonly createdAt: number;
  readonly id: string;
}

export function newestFirst(a: Place, b: Place): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}
