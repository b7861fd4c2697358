import type { ConfigIssue } from "./config-error.js";

export interface EncryptionKey {
  /** Kept with what it encrypted. */
  readonly id: string;
  /** 32 bytes. */
  readonly secret: Uint8Array;
}

const VARIABLE = "SESSION_ENCRYPTION_KEYS";
const MAX_KEYS = 16;
const KEY = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9_-]{43})$/;
const MAKE_ONE = `node -p "crypto.randomBytes(32).toString('base64url')"`;

/**
 * `<id>:<32 bytes in base64url>`, with commas between them. The first encrypts, all decrypt: a new key goes behind
 * the others on every instance, then to the front, and the old one goes when nothing that it encrypted is alive. Nothing of the
 * text is ever shown.
 */
export function encryptionKeys(text: string, issues: ConfigIssue[]): readonly EncryptionKey[] {
  const refuse = (expected: string, got: string): readonly EncryptionKey[] => {
    issues.push({ source: `environment variable ${VARIABLE}`, key: VARIABLE, expected, got });
    return [];
  };
  const form = `<id>:<32 bytes in base64url> (${MAKE_ONE}), with commas between several`;
  if (text === "") return refuse(`${form}: session.context.encryption is on`, "nothing");
  const entries = text.split(",").map((entry) => KEY.exec(entry.trim()));
  const wrong = entries.indexOf(null);
  if (wrong >= 0) return refuse(form, `something else as key ${wrong + 1} of ${entries.length}`);
  const keys = entries.map((match) => ({ id: match?.[1] ?? "", secret: Buffer.from(match?.[2] ?? "", "base64url") }));
  if (keys.length > MAX_KEYS) return refuse(`at most ${MAX_KEYS} keys`, `${keys.length}`);
  if (new Set(keys.map(({ id }) => id)).size < keys.length) return refuse("a different id for each key", "one twice");
  return keys;
}
