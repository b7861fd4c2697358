import type { NewSignIn, SignIn } from "../../store/session-store.js";
import type { Freshness } from "../freshness.js";
import type { CreateSession, Session, SignInRequest } from "../manager.js";
import type { Transport } from "./http-sessions.js";
import type { SessionField, SessionFields } from "./session-fields.js";

/**
 * The session of one request. It is read once, before the handler; fields that the handler changed are written once, before
 * the response's headers leave: of two requests that write one field the later one wins, and of different fields both are kept.
 * When they cannot be written, the client gets that as its answer (503; 401 when the session ended meanwhile), and never the
 * handler's success. An anonymous request has one too: nothing is stored, and no cookie set, until a field is.
 *
 * Errors of all that writes: `session-not-found`, `input-invalid`, `payload-too-large`, `store-unavailable`.
 */
export interface RequestSession {
  /** Null: there is none yet, or none any more. Never secret, and stays over rotations; a sign-in gives another one. */
  readonly id: string | null;
  /** Whose it is; null: nobody signed in. */
  readonly subject: string | null;
  /** When and how surely the subject proved who it is; null: it did not. */
  readonly signedIn: SignIn | null;
  /** True when the request came with no live session. */
  readonly isNew: boolean;
  /** How its token travels; null: there is no session. */
  readonly transport: Transport | null;
  /** As the store last told it; what is pending is not in it. Null: there is none. */
  readonly stored: Session | null;
  /** ms since the epoch; null: there is no session. */
  readonly createdAt: number | null;
  readonly expiresAt: number | null;
  /**
   * For unsafe requests of pages whose browser says nothing of where they come from; in the header `x-csrf-token`. Another one at each
   * reading, all of them good until the session's token rotates. Null: there is no session that a forged request could use.
   */
  readonly csrfToken: string | null;

  /**
   * Reads the session where the adapter was told not to. Twice is once, as the first call says. Errors: `session-csrf`,
   * `session-guessing`, `store-unavailable`.
   */
  load(options?: LoadOptions): Promise<this>;

  /** An object may be changed in place: what became of it is written as if it were set. */
  get<Field extends SessionField>(field: Field): SessionFields[Field] | undefined;
  has(field: SessionField): boolean;
  set<Field extends SessionField>(field: Field, value: SessionFields[Field]): void;
  delete(field: SessionField): void;
  /**
   * Writes at once, and for a change that depends on what is there: tried again from what is there then when another write came
   * between, so `change` is called several times and has no effects. What was pending is written before. Undefined changes nothing.
   */
  update(change: (fields: Partial<SessionFields>) => Partial<SessionFields> | undefined): Promise<void>;
  /** Writes at once what is pending. For answers that the framework does not see, such as those of `reply.hijack()`. */
  save(): Promise<void>;

  /**
   * Another session without a login, at once and also without fields; the one that there was is dead. What is pending is
   * forgotten. Error, besides those of all that writes: `session-csrf`.
   */
  begin(session?: Omit<CreateSession, "subject" | "signIn">, transport?: Transport): Promise<void>;
  /**
   * A login: another session of this subject, with the fields of this one (`keepData`), and with another token; this one is dead. Error,
   * besides those of all that writes: `session-limit-reached`, `session-csrf`.
   */
  signIn(request: SignInRequest, transport?: Transport): Promise<void>;
  /** The subject proved itself anew: another token, the old one is dead at once, and the new time and level. */
  stepUp(signIn: NewSignIn): Promise<void>;
  /** Another token; the old one is dead at once. */
  rotate(): Promise<void>;
  /** A logout: ends the session and clears the cookie. What is pending is forgotten. False: it was not live. */
  destroy(): Promise<boolean>;
  /** Ends all other sessions of the subject, as after a change of its password. Gives how many. */
  revokeOthers(): Promise<number>;

  /** The subject; throws `session-not-found` (401) when nobody signed in. */
  requireSubject(): string;
  /** The subject, when it signed in recently and surely enough; else throws `session-not-found`, or `session-stale-sign-in` (401). */
  requireFresh(required: Freshness): string;
}

export interface LoadOptions {
  /**
   * Whether a token that is old enough is replaced now. False where the answer may come later than the grace ends, as that of a stream or a
   * long wait: until then the client uses the token that was replaced. Default true.
   */
  readonly rotate?: boolean;
}
