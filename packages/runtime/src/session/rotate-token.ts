import type { Random } from "../ports.js";
import type { NewSignIn, ReusedToken, SessionRecord, SessionStore } from "../store/session-store.js";
import { createSeed, type ReadToken, readToken, successorOf } from "./token.js";

export interface ReplacedToken {
  readonly session: SessionRecord;
  /** The successor. */
  readonly token: string;
  /** False: the token had been replaced before, and is in its grace; the store changed nothing. */
  readonly isOurs: boolean;
}

/** One rotation at the store. Whoever comes with the token, the successor is made of it and of the seed that the store keeps. */
export async function rotateToken(
  { store, random }: { readonly store: SessionStore; readonly random: Random },
  token: string,
  { id, hash: oldTokenHash }: ReadToken,
  change: { readonly graceMs: number; readonly signIn?: NewSignIn },
): Promise<ReplacedToken | ReusedToken | "not-found"> {
  const seed = createSeed(random);
  const newTokenHash = hashOf(successorOf(token, seed));
  const rotated = await store.rotate(id, { oldTokenHash, newTokenHash, seed, ...change });
  if (rotated === "not-found" || "reused" in rotated) return rotated;
  return { session: rotated.session, token: successorOf(token, rotated.seed), isOurs: rotated.seed === seed };
}

/** Of a token that was made here, and so is in the form of one. */
export function hashOf(token: string): string {
  return (readToken(token) as ReadToken).hash;
}
