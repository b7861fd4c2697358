import type { Json } from "../json.js";

/**
 * Where sessions live. A session is an expiring keyed record with a revision. Its id never changes; the tokens that lead
 * to it rotate, and only their SHA-256 is stored. Deadlines are judged by the store's clock. An update never creates
 * a session; what was revoked, expired or rotated away never comes back.
 */
export interface SessionStore {
  open(): Promise<void>;
  close(): Promise<void>;
  ping(): Promise<void>;

  /** Stores a new session. Fails with `exists` when the id is taken by a live one. */
  create(session: NewSession): Promise<SessionRecord | "exists">;
  /**
   * The live session behind a token, in one round trip. With `touch` its idle deadline moves to now + idle time (never
   * beyond the absolute one); nothing is written while less than a tenth of the idle time has passed since the last touch.
   */
  load(tokenHash: string, options: { readonly touch: boolean }): Promise<SessionRecord | undefined>;
  loadById(id: string): Promise<SessionRecord | undefined>;
  /** Applies a delta of top-level fields atomically. With `revision`, only if it is still the session's. */
  commit(id: string, delta: SessionDelta, revision?: number): Promise<SessionRecord | "not-found" | "moved">;
  /** Swaps the token in one step: the old one is dead when this returns, after `graceMs` at most. */
  rotate(oldTokenHash: string, newTokenHash: string, graceMs: number): Promise<SessionRecord | "not-found">;
  revoke(id: string): Promise<boolean>;
  /** Ends every session of a subject, also ones created during the call. Returns how many were live. */
  revokeSubject(subject: string): Promise<number>;
  /** Live sessions, newest first. */
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
  readonly nextCursor: string | null;
}
