import type { Json } from "../json.js";

/**
 * Where sessions live. A session is an expiring keyed record with a revision. Its id stays (session-id.ts); the tokens that
 * lead to it rotate, and only their SHA-256 is stored. Deadlines are judged by the store's clock: a session is dead from
 * the very millisecond of its deadline on, whether or not it was swept. An update never creates a session; what was
 * revoked, expired or rotated away never comes back. Every call on one session or subject is atomic, those on all of them are
 * so for each; after `store-unavailable` the effect is unknown.
 * Data is refused (`input-invalid`, `payload-too-large`) by the rules of session-data.ts, before anything is written.
 */
export interface SessionStore {
  /** Makes the store ready. Twice is once; every other call before it, or after `close`, throws `store-unavailable`. */
  open(): Promise<void>;
  close(): Promise<void>;
  /** Resolves when the store answers, throws `store-unavailable` otherwise. */
  ping(): Promise<void>;

  /**
   * Stores a new session. `exists` when a live one has the id. With a limit, the live logins of the subject are counted in the
   * same step: `limit-reached` when they are as many and the policy denies, else the oldest are revoked, and named.
   */
  create(session: NewSession): Promise<CreatedSession | "exists" | "limit-reached">;
  /**
   * The live session that a token leads to, in one round trip. With `touch` its idle deadline moves to now + idle time (never
   * beyond the absolute one); nothing is written while less than a tenth of the idle time has passed since the last touch.
   * A token in its grace loads too, and gets the seed of its successor. One that was rotated away with a grace, and whose
   * grace is over, revokes the session: `reused`, once, for as many tokens back as `MAX_RETIRED`.
   */
  load(id: string, tokenHash: string, options: LoadOptions): Promise<LoadedSession | ReusedToken | undefined>;
  loadById(id: string): Promise<SessionRecord | undefined>;
  /**
   * Applies a delta of top-level fields atomically. A commit is activity: the idle deadline moves as with a touch. With
   * `returning: "head"` the answer's data is empty: for a caller who knows what it wrote.
   */
  commit(id: string, delta: SessionDelta, options?: CommitOptions): Promise<SessionRecord | "not-found" | "moved">;
  /**
   * Swaps the token in one step. Only the current token rotates; one in its grace gets the seed with which it was replaced, so
   * that all who come in the grace get the same successor. Without grace the old token is dead at once, and so is every
   * token before it. Activity as a commit is; the absolute deadline stays, and so does the revision.
   */
  rotate(id: string, rotation: Rotation): Promise<RotatedSession | ReusedToken | "not-found">;
  /**
   * Ends a session and gives it as it was at its end: every commit that was acknowledged before is in it, and whoever commits
   * later finds none. Undefined when it was not live.
   */
  revoke(id: string): Promise<SessionRecord | undefined>;
  /** Ends every live session of a subject but `except`, in one step. Gives how many. */
  revokeSubject(subject: string, except?: string): Promise<number>;
  /** Ends every login that was live when the call began. Gives how many. Not in one step: each session has its own. */
  revokeAll(): Promise<number>;
  /** Live sessions, newest first (then by id, descending). */
  list(query: SessionQuery): Promise<SessionPage>;

  /**
   * Claims up to `limit` expired sessions, for the event: each is handed to one caller, and again to one when it was not
   * settled `claimMs` later. What was revoked is not among them.
   */
  sweep(limit: number, claimMs: number): Promise<ExpiredSession[]>;
  /** Their events were handled: they are handed out no more. */
  settle(expired: readonly ExpiredSession[]): Promise<void>;

  /**
   * Registers an owner of contexts or extends its lease, and moves the idle deadline of every context it owns, as a touch
   * does. Contexts of owners without a lease, which ran out or never was, become its own, up to `limit` of them. Gives how
   * many it owns and adopted.
   */
  renewOwner(owner: string, leaseMs: number, limit: number): Promise<RenewedOwner>;
  /** Gives up the lease at once: what it owns is adopted by the next who renews. Harmless for an unknown owner. */
  retireOwner(owner: string): Promise<void>;
  /** Owners with a lease, or with contexts that nobody adopted yet. */
  owners(): Promise<SessionOwner[]>;
}

/** Tokens that are recognized as used again, beside the one before the current; what is older is unknown. */
export const MAX_RETIRED = 8;

export type SessionKind = "login" | "context";

export interface NewSession {
  /** Made by `sessionId` for the subject, or `run:<run id>` for a context. */
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
  /** How the subject proved who it is; default: it did not. */
  readonly signIn?: NewSignIn | null;
  readonly device?: Device | null;
  /** Live logins of the subject, this one included. Without a subject it says nothing. */
  readonly limit?: { readonly max: number; readonly policy: "deny" | "evict-oldest" };
  /** The instance whose context it is. Said of a login, it is ignored. */
  readonly owner?: string | null;
}

export interface NewSignIn {
  /** Level of assurance, from 1 (NIST SP 800-63B AAL): 2 for a second factor. */
  readonly level: number;
  /** Such as `["pwd", "otp"]` (RFC 8176). */
  readonly methods?: readonly string[];
  /** When it happened, ms; default, and at most, the store's now. An identity provider's `auth_time` goes here. */
  readonly at?: number;
}

export interface SignIn {
  readonly level: number;
  readonly methods: readonly string[];
  readonly at: number;
}

/** What the request that began the session said of itself. For its owner to recognize it by; nothing is decided by it. */
export interface Device {
  readonly ip?: string;
  readonly userAgent?: string;
  readonly label?: string;
}

/** All of a session but its data. Times are ms since the epoch, by the store's clock. */
export interface SessionHead {
  readonly id: string;
  readonly kind: SessionKind;
  readonly subject: string | null;
  /** 1 at creation, +1 with each commit. */
  readonly revision: number;
  readonly createdAt: number;
  readonly touchedAt: number;
  readonly idleMs: number;
  /** The nearer of the idle and the absolute deadline. */
  readonly expiresAt: number;
  readonly absoluteExpiresAt: number | null;
  /** When the current token came to be: at creation, or the last rotation. */
  readonly rotatedAt: number;
  readonly signIn: SignIn | null;
  readonly device: Device | null;
  readonly owner: string | null;
}

export interface SessionRecord extends SessionHead {
  readonly data: Readonly<Record<string, Json>>;
}

export interface CreatedSession {
  readonly session: SessionRecord;
  /** Sessions of the subject that made room. */
  readonly evicted: readonly EndedSession[];
}

export interface LoadOptions {
  readonly touch: boolean;
}

export interface LoadedSession extends SessionRecord {
  /** Set when the token was replaced and is in its grace: what it was rotated with. */
  readonly seed?: string;
}

/** The session is revoked by now: a token that had been replaced was used. */
export interface ReusedToken {
  readonly reused: EndedSession;
}

export interface EndedSession {
  readonly id: string;
  readonly kind: SessionKind;
  readonly subject: string | null;
}

export interface ExpiredSession extends EndedSession {
  /** Its deadline. */
  readonly expiredAt: number;
}

export interface CommitOptions {
  /** Commit only if it is still the session's revision, else `moved`. */
  readonly revision?: number;
  /** Default `record`. */
  readonly returning?: "record" | "head";
  /** The context's owner from here on; default: as before. Said of a login, it is ignored. */
  readonly owner?: string;
}

export interface Rotation {
  readonly oldTokenHash: string;
  readonly newTokenHash: string;
  /** With it and the old token the new one can be made again (token.ts); 1 to 64 characters of base64url. */
  readonly seed: string;
  readonly graceMs: number;
  /** The subject proved itself anew. */
  readonly signIn?: NewSignIn;
}

export interface RotatedSession {
  readonly session: SessionRecord;
  /** The one given, or that of the rotation which came first. */
  readonly seed: string;
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

export interface RenewedOwner {
  /** Contexts it owns, the adopted ones included. */
  readonly owned: number;
  readonly adopted: number;
}

export interface SessionOwner {
  readonly owner: string;
  readonly leaseExpiresAt: number;
  /** Contexts it owns. */
  readonly contexts: number;
}
