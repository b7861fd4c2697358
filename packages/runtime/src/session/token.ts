import { createHmac, hash } from "node:crypto";
import type { Random } from "../ports.js";
import { sessionId } from "../store/session-id.js";

/**
 * A session's token: its id (36 characters, store/session-id.ts) and a secret of 264 random bits (44 characters), in
 * base64url. The id says where to look, the secret proves; shown once to whoever owns the session. Stores see only the
 * SHA-256 of the whole, so a dump of a store opens no session. The hash is in hex: not even its shape is a token's.
 */
const ID_LENGTH = 36;
export const TOKEN_LENGTH = 80;
const SECRET_BYTES = 33;
const UNIQUE_BYTES = 15;
const SEED_BYTES = 32;
const TOKEN = /^[A-Za-z0-9_-]{80}$/;

export interface ReadToken {
  readonly id: string;
  readonly hash: string;
}

/** A fresh id for the subject: the time in 6 bytes, so that ids of one subject are roughly ordered, then 72 random bits. */
export function createSessionId(subject: string | null, now: number, random: Random): string {
  const unique = Buffer.alloc(UNIQUE_BYTES);
  unique.writeUIntBE(now, 0, 6);
  unique.set(random.bytes(UNIQUE_BYTES - 6), 6);
  return sessionId(subject, unique);
}

export function createToken(id: string, random: Random): string {
  return id + Buffer.from(random.bytes(SECRET_BYTES)).toString("base64url");
}

/** Undefined when the text cannot be a token, which then needs no store. The length is looked at first: any size costs the same. */
export function readToken(token: unknown): ReadToken | undefined {
  if (typeof token !== "string" || token.length !== TOKEN_LENGTH || !TOKEN.test(token)) return undefined;
  return { id: token.slice(0, ID_LENGTH), hash: hash("sha256", token, "hex") };
}

export function createSeed(random: Random): string {
  return Buffer.from(random.bytes(SEED_BYTES)).toString("base64url");
}

/**
 * The token that replaces another one. Made of the old one and a seed that the store keeps through the grace: whoever
 * still comes with the old token then gets the same successor, and the store alone cannot make it (HMAC-SHA-256, RFC 2104;
 * SHA-384's first 33 bytes for the length of a secret).
 */
export function successorOf(token: string, seed: string): string {
  const secret = createHmac("sha384", token).update(`clean-arch session successor ${seed}`).digest();
  return token.slice(0, ID_LENGTH) + secret.subarray(0, SECRET_BYTES).toString("base64url");
}
