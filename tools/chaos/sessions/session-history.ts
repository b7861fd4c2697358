/**
 * What was seen of sessions from outside, by clients and by the listener of expiries. Times are those of this machine's clock in
 * ms with fractions, which is also Redis' clock. The oracle judges this, and nothing that Redis or a manager keeps.
 */
export type SessionOp =
  | ("create" | "load" | "resume" | "get" | "rotate")
  | ("write" | "increment")
  | ("destroy" | "revokeSubject" | "list");

export interface SessionCallEvent {
  readonly op: SessionOp;
  readonly instance: string;
  readonly subject: string;
  /** Null for what concerns all of the subject's, and for a creation that nobody acknowledged. */
  readonly session: string | null;
  readonly at: number;
  /** Infinite when the outcome is unknown: it may still come to pass. */
  readonly until: number;
  /** `none`: there is no such session, or no live one with this token. */
  readonly outcome: "ok" | "none" | "unknown";
  /** The one that was used: of load, resume, rotate. */
  readonly token?: string;
  /** What was given instead of it; of create, the first one. */
  readonly newToken?: string | null;
  readonly graceMs?: number;
  /** Of a write. */
  readonly field?: string;
  readonly value?: number;
  /** As it was read. */
  readonly data?: Readonly<Record<string, number>>;
  readonly createdAt?: number;
  readonly expiresAt?: number;
  /** Of a list. */
  readonly ids?: readonly string[];
}

export interface ExpiredEvent {
  readonly session: string;
  readonly at: number;
  /** The deadline, as the event has it. */
  readonly expiredAt: number;
}

/** A context of a run, in the end. */
export interface ContextEnd {
  readonly id: string;
  /** Null: it is gone. */
  readonly owner: string | null;
}

/** A subject in the end, when nothing goes wrong any more: what the list has, and what answers by id. */
export interface SubjectEnd {
  readonly subject: string;
  readonly listed: readonly string[];
  readonly live: readonly string[];
}

export interface SessionHistory {
  readonly calls: readonly SessionCallEvent[];
  readonly expired: readonly ExpiredEvent[];
  /** When Redis was killed. */
  readonly redisKills: readonly number[];
  readonly contexts: readonly ContextEnd[];
  readonly subjects: readonly SubjectEnd[];
  /** Instances that run in the end. */
  readonly living: readonly string[];
  /** What a client was told that it never should be: code and message. */
  readonly errors: readonly string[];
}

/** What the managers were told, and so what they promise. */
export interface SessionPromises {
  readonly persistence: "none" | "everysec" | "always";
  readonly absoluteMs: number;
  readonly perSubject: number;
}

export interface SessionViolation {
  readonly rule: string;
  readonly session: string | null;
  readonly message: string;
}

export const FIELDS = ["f0", "f1", "f2"] as const;
export const COUNTER = "n";

export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
