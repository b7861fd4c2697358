import type { EndedSession, SessionKind } from "../store/session-store.js";
import type { Origin } from "./manager.js";

/**
 * What happens to sessions, for an audit trail (OWASP ASVS 5.0, 16.3). No event holds a token or anything made of one.
 * `expired` is delivered at least once, and again until the listener's promise resolves; all others once, and a listener that
 * fails is logged: it never fails the call that the event is about.
 */
export type SessionEvent =
  | (Subjected & { readonly kind: "created" })
  /** `formerId`: the session whose place the new one took, and which is dead. */
  | (Subjected & { readonly kind: "signed-in"; readonly level: number; readonly formerId: string | null })
  | (Subjected & { readonly kind: "stepped-up"; readonly level: number })
  | (Subjected & { readonly kind: "rotated"; readonly graceMs: number })
  /** A token that had been replaced was used after its grace: somebody has a copy. The session is revoked. */
  | (Subjected & { readonly kind: "reused" })
  | (Subjected & { readonly kind: "revoked" })
  /** Made room for a newer session of its subject. */
  | (Subjected & { readonly kind: "evicted" })
  | (Subjected & { readonly kind: "expired"; readonly expiredAt: number; readonly session: SessionKind })
  | (Happened & { readonly kind: "limit-reached"; readonly subject: string; readonly max: number })
  | (Happened & { readonly kind: "subject-revoked"; readonly subject: string; readonly sessions: number })
  | (Happened & { readonly kind: "all-revoked"; readonly sessions: number })
  /** A token that was never issued here, or is long dead: of one in a form that tokens have, or not. */
  | (Happened & { readonly kind: "unknown-token"; readonly wellFormed: boolean })
  /** One client brought more unknown tokens within a minute than it may; told once for that minute, by the HTTP adapters. */
  | (Happened & { readonly kind: "guessing"; readonly unknown: number });

interface Happened {
  /** ms since the epoch, by this process's clock. */
  readonly at: number;
  readonly origin: Origin;
}

interface Subjected extends Happened, Pick<EndedSession, "id" | "subject"> {}

export type SessionListener = (event: SessionEvent) => void | Promise<void>;
