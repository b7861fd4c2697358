import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import { RuntimeError } from "../errors.js";
import type { Json, JsonObject } from "../json.js";
import type { Random } from "../ports.js";

export interface EncryptionKey {
  /** 1 to 32 characters of a-z, A-Z, 0-9, _ and -; it stands readable in what is stored, and is never given to another secret. */
  readonly id: string;
  /** 32 random bytes: in base64url, in hex, or as they are. */
  readonly secret: string | Uint8Array;
}

/** Why a session is unreadable here. */
export type Unreadable = "not-encrypted" | "unknown-key" | "not-authentic";

/**
 * Values of a session's top-level fields as texts `enc1:<key id>:<nonce, ciphertext and tag in base64url>`, by AES-256-GCM.
 * The text is bound to its place: the id of the session and the name of the field are authenticated with it. Each session
 * has a key of its own, derived from the secret (HKDF, RFC 5869), so that random nonces of 96 bits stay far from repeating
 * however many sessions a key serves (NIST SP 800-38D allows 2^32 writes under one key).
 */
const MARK = "enc1:";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ALGORITHM = "aes-256-gcm";
const TEXT = /^enc1:([A-Za-z0-9_-]{1,32}):([A-Za-z0-9_-]+)$/;
const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;
const MAX_KEYS = 16;

export class FieldCipher {
  /** The first one encrypts. */
  readonly #secrets: ReadonlyMap<string, Uint8Array>;
  readonly #newest: string;
  readonly #random: Random;
  readonly #acceptPlain: boolean;

  /** Error: `config-invalid`, which never shows a secret. */
  constructor(keys: readonly EncryptionKey[], random: Random, acceptPlain: boolean) {
    this.#secrets = readKeys(keys);
    this.#newest = [...this.#secrets.keys()][0] ?? "";
    this.#random = random;
    this.#acceptPlain = acceptPlain;
  }

  encrypt(session: string, fields: JsonObject): JsonObject {
    const key = this.#keyOf(session, this.#newest);
    return mapFields(fields, (field, value) => {
      const nonce = this.#random.bytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(placeOf(session, field));
      const parts = [nonce, cipher.update(JSON.stringify(value), "utf8"), cipher.final(), cipher.getAuthTag()];
      return `${MARK}${this.#newest}:${Buffer.concat(parts).toString("base64url")}`;
    });
  }

  /** All of it, or why not: a session of which a part is not what was written is not that session. */
  decrypt(session: string, fields: JsonObject): JsonObject | Unreadable {
    const keys = new Map<string, Uint8Array>();
    const decrypted: [field: string, value: Json][] = [];
    for (const [field, stored] of Object.entries(fields)) {
      const [, id = "", body = ""] = (typeof stored === "string" && TEXT.exec(stored)) || [];
      if (id === "") {
        if (!this.#acceptPlain || (typeof stored === "string" && stored.startsWith(MARK))) return "not-encrypted";
        decrypted.push([field, stored]);
        continue;
      }
      if (!this.#secrets.has(id)) return "unknown-key";
      const key = keys.get(id) ?? this.#keyOf(session, id);
      keys.set(id, key);
      const value = open(key, Buffer.from(body, "base64url"), placeOf(session, field));
      if (value === undefined) return "not-authentic";
      decrypted.push([field, value]);
    }
    return Object.fromEntries(decrypted);
  }

  #keyOf(session: string, id: string): Uint8Array {
    const secret = this.#secrets.get(id) as Uint8Array;
    return new Uint8Array(hkdfSync("sha256", secret, "", `clean-arch session fields ${session}`, KEY_BYTES));
  }
}

/** Undefined unless it was sealed with this key for this place. */
function open(key: Uint8Array, body: Buffer, place: Buffer): Json | undefined {
  if (body.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv(ALGORITHM, key, body.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(place);
  decipher.setAuthTag(body.subarray(-TAG_BYTES));
  try {
    const text = decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** As JSON, so that no id and name run into each other. */
function placeOf(session: string, field: string): Buffer {
  return Buffer.from(JSON.stringify([session, field]));
}

function mapFields(fields: JsonObject, change: (field: string, value: Json) => Json): JsonObject {
  return Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, change(field, value)]));
}

function readKeys(keys: readonly EncryptionKey[]): ReadonlyMap<string, Uint8Array> {
  if (!Array.isArray(keys) || keys.length < 1 || keys.length > MAX_KEYS)
    throw invalid("keys", `1 to ${MAX_KEYS} keys, the one that encrypts first`, `${keys?.length ?? "none"}`);
  const secrets = new Map<string, Uint8Array>();
  for (const [n, { id, secret }] of (keys as readonly EncryptionKey[]).entries()) {
    if (typeof id !== "string" || !KEY_ID.test(id))
      throw invalid(`keys[${n}].id`, "1 to 32 characters of a-z, A-Z, 0-9, _ and -", JSON.stringify(id));
    if (secrets.has(id)) throw invalid(`keys[${n}].id`, "an id that no other key has", JSON.stringify(id));
    const bytes = readSecret(secret);
    if (!bytes) {
      const got =
        typeof secret === "string" ? `${secret.length} characters` : `${typeof secret} of another size or kind`;
      throw invalid(`keys[${n}].secret`, `${KEY_BYTES} bytes in base64url or hex, or as a Buffer`, got);
    }
    secrets.set(id, bytes);
  }
  return secrets;
}

function readSecret(secret: unknown): Uint8Array | undefined {
  if (secret instanceof Uint8Array) return secret.length === KEY_BYTES ? Uint8Array.from(secret) : undefined;
  if (typeof secret !== "string") return undefined;
  if (/^[0-9a-fA-F]{64}$/.test(secret)) return Buffer.from(secret, "hex");
  return /^[A-Za-z0-9_-]{43}$/.test(secret) ? Buffer.from(secret, "base64url") : undefined;
}

function invalid(key: string, expected: string, got: string): RuntimeError {
  const message = `expected ${key} of the encrypted session store to be ${expected}, got ${got}`;
  return new RuntimeError("config-invalid", message, { key });
}
