import type { JsonObject } from "../json.js";
import { type Logger, silentLogger } from "../log.js";
import { type Random, systemPorts } from "../ports.js";
import { decodeData, encodeData } from "../store/session-data.js";
import type * as contract from "../store/session-store.js";
import { type EncryptionKey, FieldCipher } from "./field-cipher.js";

export interface EncryptedSessionStoreOptions {
  /**
   * The first one encrypts, all decrypt. To change keys without logging anybody out: add the new one behind the others on
   * every instance, then move it to the front, and remove the old one when what it wrote has expired.
   */
  readonly keys: readonly EncryptionKey[];
  /**
   * Whether what was written before encryption was turned on is readable. While it is, whoever can write to the store can
   * make sessions' data, so turn it off when those sessions have expired. Default false: they are no sessions any more.
   */
  readonly acceptPlain?: boolean;
  /** Told of sessions that are unreadable, by id, never what is in them. Default: silent. */
  readonly logger?: Logger;
  /** Default: the system's. */
  readonly random?: Random;
}

/**
 * A store whose data at rest nobody reads or changes without the keys: the value of each top-level field is encrypted
 * (field-cipher.ts). Names of fields, subjects, devices and times stay readable. A value that was changed, cut, written under
 * an unknown key, or copied to another session or field makes its session unreadable, which is as if there were none, and
 * logged. Nothing is deleted for it: another instance may have the key. Not noticed: a field that was removed, or put back
 * to what it once was in the same place.
 *
 * The bound on data is on what is stored, which is a third longer, and 60 to 90 bytes per field. Errors: `config-invalid`.
 */
export function encryptedSessionStore(
  store: contract.SessionStore,
  options: EncryptedSessionStoreOptions,
): contract.SessionStore {
  return new EncryptedSessionStore(store, options);
}

class EncryptedSessionStore implements contract.SessionStore {
  readonly #store: contract.SessionStore;
  readonly #cipher: FieldCipher;
  readonly #logger: Logger;

  constructor(store: contract.SessionStore, options: EncryptedSessionStoreOptions) {
    const { keys, acceptPlain = false, logger = silentLogger, random = systemPorts.random } = options;
    this.#store = store;
    this.#cipher = new FieldCipher(keys, random, acceptPlain);
    this.#logger = logger;
  }

  open(): Promise<void> {
    return this.#store.open();
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  ping(): Promise<void> {
    return this.#store.ping();
  }

  async create(session: contract.NewSession): Promise<contract.CreatedSession | "exists" | "limit-reached"> {
    const { id, kind } = session;
    const data = decodeData(encodeData(kind, session.data));
    const encrypted = { ...session, data: this.#cipher.encrypt(id, data) };
    let created = await this.#store.create(encrypted);
    if (created === "exists" && (await this.#isUnreadable(id))) {
      // What nobody here can read is as if it were not there, so it does not stand in the way: a context would be stuck.
      await this.#store.revoke(id);
      created = await this.#store.create(encrypted);
    }
    return typeof created === "string" ? created : { ...created, session: { ...created.session, data } };
  }

  async load(
    id: string,
    tokenHash: string,
    options: contract.LoadOptions,
  ): Promise<contract.LoadedSession | contract.ReusedToken | undefined> {
    const loaded = await this.#store.load(id, tokenHash, options);
    return loaded && ("reused" in loaded ? loaded : this.#readable(loaded));
  }

  async loadById(id: string): Promise<contract.SessionRecord | undefined> {
    const loaded = await this.#store.loadById(id);
    return loaded && this.#readable(loaded);
  }

  async commit(
    id: string,
    delta: contract.SessionDelta,
    options?: contract.CommitOptions,
  ): Promise<contract.SessionRecord | "not-found" | "moved"> {
    const committed = await this.#store.commit(id, this.#encryptDelta(id, delta), options);
    return typeof committed === "string" ? committed : (this.#readable(committed) ?? "not-found");
  }

  async rotate(
    id: string,
    rotation: contract.Rotation,
  ): Promise<contract.RotatedSession | contract.ReusedToken | "not-found"> {
    const rotated = await this.#store.rotate(id, rotation);
    if (rotated === "not-found" || "reused" in rotated) return rotated;
    const session = this.#readable(rotated.session);
    return session ? { ...rotated, session } : "not-found";
  }

  /** An unreadable one is ended like any other, and what it held is lost. */
  async revoke(id: string): Promise<contract.SessionRecord | undefined> {
    const ended = await this.#store.revoke(id);
    return ended && (this.#readable(ended) ?? { ...ended, data: {} });
  }

  revokeSubject(subject: string, except?: string): Promise<number> {
    return this.#store.revokeSubject(subject, except);
  }

  revokeAll(): Promise<number> {
    return this.#store.revokeAll();
  }

  /** Unreadable ones are left out, so a page may be shorter than the limit though others follow. */
  async list(query: contract.SessionQuery): Promise<contract.SessionPage> {
    const page = await this.#store.list(query);
    return { ...page, items: page.items.flatMap((record) => this.#readable(record) ?? []) };
  }

  sweep(limit: number, claimMs: number): Promise<contract.ExpiredSession[]> {
    return this.#store.sweep(limit, claimMs);
  }

  settle(expired: readonly contract.ExpiredSession[]): Promise<void> {
    return this.#store.settle(expired);
  }

  renewOwner(owner: string, leaseMs: number, limit: number): Promise<contract.RenewedOwner> {
    return this.#store.renewOwner(owner, leaseMs, limit);
  }

  retireOwner(owner: string): Promise<void> {
    return this.#store.retireOwner(owner);
  }

  owners(): Promise<contract.SessionOwner[]> {
    return this.#store.owners();
  }

  #encryptDelta(id: string, { set, unset }: contract.SessionDelta): contract.SessionDelta {
    const checked = set && checkSet(set);
    return { ...(checked && { set: this.#cipher.encrypt(id, checked) }), ...(unset && { unset }) };
  }

  #readable<Stored extends contract.SessionRecord>(record: Stored): Stored | undefined {
    const data = this.#cipher.decrypt(record.id, record.data);
    if (typeof data !== "string") return { ...record, data };
    this.#logger.warn({ sessionId: record.id, kind: record.kind, reason: data }, "session unreadable: taken for none");
    return undefined;
  }

  async #isUnreadable(id: string): Promise<boolean> {
    const present = await this.#store.loadById(id);
    return present !== undefined && this.#readable(present) === undefined;
  }
}

/** The kind is not known here, so the larger bound; the store has the exact one. Errors as those of `encodeData`. */
function checkSet(set: unknown): JsonObject {
  return decodeData(encodeData("context", set));
}
