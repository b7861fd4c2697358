import { createHash } from "node:crypto";
import type { Random } from "../ports.js";

/**
 * Session tokens: 256 random bits in base64url (43 characters), shown once to whoever owns the session. Stores see only
 * the SHA-256, so a dump of a store opens no session. The hash is in hex: not even its shape is a token's.
 */
const TOKEN_BYTES = 32;
const TOKEN_LENGTH = 43;

export function createToken(random: Random): string {
  return Buffer.from(random.bytes(TOKEN_BYTES)).toString("base64url");
}

/**
 * The hash under which a store knows the token; undefined when the text cannot be a token, which then needs no store.
 * The length is looked at first, so that a text of any size costs the same.
 */
export function hashToken(token: unknown): string | undefined {
  if (typeof token !== "string" || token.length !== TOKEN_LENGTH) return undefined;
  // Decoding skips what is foreign to the alphabet, and 43 characters carry 2 bits more than 256: a token comes back as it was.
  if (Buffer.from(token, "base64url").toString("base64url") !== token) return undefined;
  return createHash("sha256").update(token).digest("hex");
}
