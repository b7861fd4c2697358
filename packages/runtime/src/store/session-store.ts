import type { Json } from "../json.js";

/**
 * Where sessions live. A session is an expiring keyed record with a revision. Its id never changes; the tokens that lead
 * to it rotate, and only their SHA-256 is stored. Deadlines are judged by the store's clock: a session is dead from the
 * very millisecond of its deadline on, whether or not it was swept. An update never creates a session; what was revoked,
 * expired or rotated away never comes back. Every call is atomic; after `store-unavailable` its effect is unknown.
 * Data is refused (`input-invalid`, `payload-too-large`) by the rules of session-data.ts, before anything is written.
 */
export interface SessionStore {
  /** Makes the store ready. Twice is once; every other call before it, or after `close`, throws `store-unavailable`. */
  open(): Promise<void>;
  close(): Promise<void>;
  /** Resolves when the store answers, throws `store-unavailable` otherwise. */
  ping(): Promise<void>;

  /** Stores a new session. Fails with `exists` when a live one has the id, or any one the token hash. */
  create(session: NewSession): Promise<SessionRecord | "exists">;
  /**
   * The live session behind a token, in one round trip. With `touch` its idle deadline moves to now + idle time (never
   * beyond the absolute one); nothing is written while less than a tenth of the idle time has passed since the last touch.
   */
  load(tokenHash: string, options: { readonly touch: boolean }): Promise<SessionRecord | undefined>;
  loadById(id: string): Promise<SessionRecord | undefined>;
  /**
   * Applies a delta of top-level fields atomically. With `revision`, only if it is still the session's. A commit is
   * activity: the idle deadline moves as with a touch.
   */
  commit(id: string, delta: SessionDelta, revision?: number): Promise<SessionRecord | "not-found" | "moved">;
  /**
   * Swaps the token in one step: the old one is dead when this returns, after `graceMs` at most. Only the current token
   * rotates: one in its grace loads the session and is `not-found` here. The token before the old one dies now.
   * Activity as a commit is; the absolute deadline stays.
   */
  rotate(oldTokenHash: string, newTokenHash: string, graceMs: number): Promise<SessionRecord | "not-found">;
  /** Ends a session; false when it was not live. */
  revoke(id: string): Promise<boolean>;
  /** Ends every session of a subject, also ones created during the call. Returns how many were live. */
  revokeSubject(subject: string): Promise<number>;
  /** Live sessions, newest first (then by id, descending). */
  list(query: SessionQuery): Promise<SessionPage>;
  /** Deletes up to `limit` expired sessions; returns them, for the expiry event. */
  sweep(limit: number): Promise<SessionRecord[]>;
}

export type SessionKind = "login" | "context";

export interface NewSession {
  readonly id: string;
  readonly kind: SessionKind;
  /** Null for a context, which is reached by its id only. */
  readonly tokenHash: string | null;
  readonly subject: string | null;
  readonly data: Readonly<Record<string, Json>>;
  /** Idle time in ms. */
  readonly idleMs: number;
  /** Absolute lifetime in ms; null: none (contexts live as long as their run). */
  readonly absoluteMs: number | null;
}

export interface SessionRecord {
  readonly id: string;
  readonly kind: SessionKind;
  readonly subject: string | null;
  readonly data: Readonly<Record<string, Json>>;
  /** 1 at creation, +1 with each commit. */
  readonly revision: number;
  readonly createdAt: number;
  readonly touchedAt: number;
  readonly idleMs: number;
  /** The nearer of the idle and the absolute deadline, ms since the epoch. */
  readonly expiresAt: number;
  readonly absoluteExpiresAt: number | null;
}

export interface SessionDelta {
  /** Top-level fields and their new values. Applied after `unset`. */
  readonly set?: Readonly<Record<string, Json>>;
  readonly unset?: readonly string[];
}

export interface SessionQuery {
  readonly subject?: string;
  /** Default `login`. */
  readonly kind?: SessionKind;
  readonly limit: number;
  readonly cursor?: string;
}

export interface SessionPage {
  readonly items: readonly SessionRecord[];
  /** Opaque (session-cursor.ts); null on the last page. */
  readonly nextCursor: string | null;
}
