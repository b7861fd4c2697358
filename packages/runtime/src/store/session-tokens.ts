import { timingSafeEqual } from "node:crypto";
import { MAX_RETIRED, type Rotation } from "./session-store.js";

/**
 * The tokens that lead, or led, to a session, as their hashes: the current one, the one before it with the end of its
 * grace, and what is left of those before that, to recognize them when they are used again. Pure; `now` is the store's clock.
 */
export interface SessionTokens {
  readonly current: string;
  readonly previous: PreviousToken | null;
  /** Newest first, at most `MAX_RETIRED`, shortened (`shortHash`). */
  readonly retired: readonly string[];
}

export interface PreviousToken {
  readonly hash: string;
  readonly graceEndsAt: number;
  readonly seed: string;
}

export type Verdict =
  | { readonly kind: "current" }
  | { readonly kind: "grace"; readonly seed: string }
  | { readonly kind: "reused" }
  | { readonly kind: "unknown" };

const CURRENT: Verdict = { kind: "current" };
const REUSED: Verdict = { kind: "reused" };
const UNKNOWN: Verdict = { kind: "unknown" };

export function judgeToken({ current, previous, retired }: SessionTokens, hash: string, now: number): Verdict {
  if (isSameHash(current, hash)) return CURRENT;
  if (previous !== null && isSameHash(previous.hash, hash))
    return now < previous.graceEndsAt ? { kind: "grace", seed: previous.seed } : REUSED;
  return retired.includes(shortHash(hash)) ? REUSED : UNKNOWN;
}

/**
 * A rotation without grace is a change of privilege: the tokens before it are dead, and requests under way with one that
 * was in its grace a moment ago are no theft. So that one is forgotten, not retired.
 */
export function rotateTokens(tokens: SessionTokens, rotation: Rotation, now: number): SessionTokens {
  const { oldTokenHash, newTokenHash, seed, graceMs } = rotation;
  const { previous, retired } = tokens;
  const isOver = previous !== null && (graceMs > 0 || now >= previous.graceEndsAt);
  return {
    current: newTokenHash,
    previous: graceMs > 0 ? { hash: oldTokenHash, graceEndsAt: now + graceMs, seed } : null,
    retired: isOver ? [shortHash(previous.hash), ...retired].slice(0, MAX_RETIRED) : retired,
  };
}

/** 96 of 256 bits: enough to recognize, and a third of the space. */
function shortHash(hash: string): string {
  return hash.slice(0, 24);
}

export function isSameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
