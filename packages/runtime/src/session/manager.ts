import type { Json, JsonObject } from "../json.js";
import type { Device, NewSignIn, SessionDelta, SessionKind, SignIn } from "../store/session-store.js";

/**
 * Login sessions: an id that stays, tokens that rotate, data that changes by deltas. A token's secret is 264 random bits and
 * is shown exactly once; the store holds the token's SHA-256. Errors: `session-not-found`, `session-revision-moved`,
 * `session-limit-reached`, `input-invalid`, `payload-too-large`, `overloaded`, `store-unavailable`.
 */
export interface SessionManager {
  /** Opens the store and starts the sweep of expired sessions. Twice is once. */
  open(): Promise<void>;
  close(): Promise<void>;
  ping(): Promise<void>;

  create(session?: CreateSession, origin?: Origin): Promise<IssuedSession>;
  /**
   * The live session behind a token, touched, in one round trip; undefined when there is none. A malformed token never
   * reaches the store. A token that was replaced and is used after its grace revokes its session.
   */
  load(token: string, origin?: Origin): Promise<Session | undefined>;
  /**
   * As `load`, and says which token the caller is to have from now on: another one when the token was just replaced, or is
   * as old as `rotation.periodMs`. All who come with one token within its grace get the same successor.
   */
  resume(token: string, origin?: Origin): Promise<ResumedSession | undefined>;
  get(id: string): Promise<Session | undefined>;
  /**
   * Merge patch (RFC 7396) over the data; with `revision`, only if it did not move. Writers of different top-level fields
   * never disturb each other; an object under a top-level field is one field, and merging into it loses no other write.
   */
  update(id: string, patch: Readonly<Record<string, Json>>, revision?: number): Promise<Session>;
  /**
   * The data that `change` makes of what is there; tried again from what is there then when another write came between, so
   * `change` is called several times and has no effects. Undefined changes nothing.
   */
  update(id: string, change: ChangeData): Promise<Session>;
  /**
   * Replaces and removes top-level fields without reading them, in one round trip; the answer's `data` is empty. For callers
   * who know what they changed.
   */
  write(id: string, delta: SessionDelta, revision?: number): Promise<Session>;
  /**
   * A login: a new session of the subject, with the data of the session behind `token` when there is one, which is dead when
   * this resolves, whatever is under way with it. Without a live session of that token: as `create`.
   */
  signIn(token: string | undefined, signIn: SignInRequest, origin?: Origin): Promise<IssuedSession>;
  /** The subject proved itself anew (step-up): a new token, the old one is dead at once, and the new time and level of its sign-in. */
  stepUp(token: string, signIn: NewSignIn, origin?: Origin): Promise<IssuedSession>;
  /**
   * A new token; the old one is dead at once, or after `graceMs` (default 0). In its grace it loads, and rotating it gives the
   * same successor. A successor is made of the token it replaces (token.ts).
   */
  rotate(token: string, graceMs?: number, origin?: Origin): Promise<IssuedSession>;
  /** Ends the session; false when it was not live. */
  destroy(id: string, origin?: Origin): Promise<boolean>;
  /** Ends every session of a subject, but the one of id `except`. Returns how many were live. */
  revokeSubject(subject: string, except?: string, origin?: Origin): Promise<number>;
  /** Ends every login of everybody that was live at the call. Returns how many. */
  revokeAll(origin?: Origin): Promise<number>;
  /** Live sessions, newest first. */
  list(query: ListSessions): Promise<{ readonly items: readonly Session[]; readonly nextCursor: string | null }>;
}

export interface CreateSession {
  /** 1 to 256 characters. Default: none. */
  readonly subject?: string;
  /** At most 64 KiB of JSON. Default `{}`. */
  readonly data?: Readonly<Record<string, Json>>;
  /** Idle time in ms; default from the config, at most the absolute lifetime. */
  readonly ttlMs?: number;
  /** Absolute lifetime in ms; default, and at most, the configured one. For sessions bounded by an identity provider's. */
  readonly lifetimeMs?: number;
  readonly signIn?: NewSignIn;
  readonly device?: Device;
}

export interface SignInRequest extends Omit<CreateSession, "subject" | "data" | "signIn"> {
  readonly subject: string;
  /** Default: `{level: 1}`, now. */
  readonly signIn?: NewSignIn;
  /** Laid over the data that the session had, field by field. */
  readonly data?: Readonly<Record<string, Json>>;
  /** False: nothing of the former session's data is taken along. Default true. */
  readonly keepData?: boolean;
}

export type ChangeData = (data: JsonObject) => Readonly<Record<string, Json>> | undefined;

/** Whom a call was made for; it goes into the events, and nowhere else. */
export interface Origin {
  readonly ip?: string;
  readonly userAgent?: string;
}

export interface Session {
  readonly id: string;
  readonly kind: SessionKind;
  readonly subject: string | null;
  readonly data: Readonly<Record<string, Json>>;
  readonly revision: number;
  /** Times are ms since the epoch. */
  readonly createdAt: number;
  /** Last seen, to a tenth of the idle time. */
  readonly touchedAt: number;
  readonly expiresAt: number;
  /** When and how surely the subject proved who it is; null: it did not. */
  readonly signIn: SignIn | null;
  readonly device: Device | null;
}

export interface IssuedSession {
  readonly session: Session;
  readonly token: string;
}

export interface ResumedSession {
  readonly session: Session;
  /** What the caller is to use from now on; null: the one it came with. */
  readonly token: string | null;
}

export interface ListSessions {
  readonly subject?: string;
  readonly kind?: SessionKind;
  /** Default 50, at most 200. */
  readonly limit?: number;
  readonly cursor?: string;
}
