import type { Json } from "../json.js";
import type { SessionKind } from "../store/session-store.js";

/**
 * Login sessions: an id that stays, tokens that rotate, data that changes by deltas. A token is 256 random bits in
 * base64url and is shown exactly once; the store holds its SHA-256. Errors: `session-not-found`,
 * `session-revision-moved`, `input-invalid`, `payload-too-large`, `overloaded`, `store-unavailable`.
 */
export interface SessionManager {
  /** Opens the store and starts the sweep of expired sessions. Twice is once. */
  open(): Promise<void>;
  close(): Promise<void>;

  create(session?: CreateSession): Promise<{ readonly session: Session; readonly token: string }>;
  /** The live session behind a token, touched; undefined when there is none. A malformed token never reaches the store. */
  load(token: string): Promise<Session | undefined>;
  get(id: string): Promise<Session | undefined>;
  /**
   * Merge patch (RFC 7396) over the data; with `revision`, only if it did not move. Writers of different top-level fields
   * never disturb each other; an object under a top-level field is one field, and merging into it loses no other write.
   */
  update(id: string, patch: Readonly<Record<string, Json>>, revision?: number): Promise<Session>;
  /**
   * A new token; the old one is dead at once, or after `graceMs` (default 0), when it only loads: rotating a token in its
   * grace is `session-not-found`. Rotating again ends a grace that still lasts.
   */
  rotate(token: string, graceMs?: number): Promise<{ readonly session: Session; readonly token: string }>;
  /** Ends the session; false when it was not live. */
  destroy(id: string): Promise<boolean>;
  /** Ends every session of a subject, also ones created during the call. Returns how many were live. */
  revokeSubject(subject: string): Promise<number>;
  /** Live sessions, newest first. */
  list(query: ListSessions): Promise<{ readonly items: readonly Session[]; readonly nextCursor: string | null }>;
  ping(): Promise<void>;
}

export interface CreateSession {
  /** 1 to 256 characters. Default: none. */
  readonly subject?: string;
  /** At most 64 KiB of JSON. Default `{}`. */
  readonly data?: Readonly<Record<string, Json>>;
  /** Idle time in ms; default from the config, at most the absolute lifetime. */
  readonly ttlMs?: number;
}

export interface Session {
  readonly id: string;
  readonly kind: SessionKind;
  readonly subject: string | null;
  readonly data: Readonly<Record<string, Json>>;
  readonly revision: number;
  /** Times are ms since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface ListSessions {
  readonly subject?: string;
  readonly kind?: SessionKind;
  /** Default 50, at most 200. */
  readonly limit?: number;
  readonly cursor?: string;
}
