import { type ContextConfig, resolveConfig } from "../config.js";
import { RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import { type Logger, silentLogger } from "../log.js";
import { type Ports, systemPorts, uuidV7 } from "../ports.js";
import type { SessionDelta, SessionRecord, SessionStore } from "../store/session-store.js";
import type { CreateSession, ListSessions, Session, SessionManager } from "./manager.js";
import { checkGrace, checkLimit, checkPatch, checkSubject, checkTtl } from "./session-bounds.js";
import { isEmptyDelta, needsPresentData, patchToDelta } from "./session-delta.js";
import { SessionSweep } from "./session-sweep.js";
import { createToken, hashToken } from "./token.js";

export interface SessionManagerOptions {
  readonly store: SessionStore;
  /** `prefix` is for stores with one flat space of keys; the memory and sqlite stores have tables and ignore it. */
  readonly config: ContextConfig;
  /** Default: the system's. */
  readonly ports?: Ports;
  /** Gets the life cycle of sessions by id, never a token. Default: silent. */
  readonly logger?: Logger;
  /** Mean time between sweeps of expired sessions, ms. Default 60,000. */
  readonly sweepIntervalMs?: number;
  /** Sessions that one sweep step deletes. Default 500. */
  readonly sweepBatchSize?: number;
}

/** Error: `config-invalid` when the configured idle time exceeds the absolute lifetime. */
export function createSessionManager(options: SessionManagerOptions): SessionManager {
  return new StoreSessionManager(options);
}

/** Attempts to merge into a nested object while others write the same session. */
const MAX_MERGE_ATTEMPTS = 16;

/**
 * Holds no session: every call asks the store, so what one instance ends is ended on all. Updates of one session that
 * merge into a nested object queue here, so only other instances are left to compete with by revision.
 */
class StoreSessionManager implements SessionManager {
  readonly #store: SessionStore;
  readonly #config: ContextConfig;
  readonly #ports: Ports;
  readonly #logger: Logger;
  readonly #sweep: SessionSweep;
  /** The last merge under way per session id; gone when it is done. */
  readonly #merges = new Map<string, Promise<unknown>>();

  constructor(options: SessionManagerOptions) {
    this.#store = options.store;
    this.#config = resolveConfig({ context: options.config }).context;
    this.#ports = options.ports ?? systemPorts;
    this.#logger = options.logger ?? silentLogger;
    const { sweepIntervalMs: intervalMs = 60_000, sweepBatchSize: batchSize = 500 } = options;
    this.#sweep = new SessionSweep({
      store: this.#store,
      ports: this.#ports,
      logger: this.#logger,
      intervalMs,
      batchSize,
    });
  }

  async open(): Promise<void> {
    await this.#store.open();
    this.#sweep.start();
  }

  async close(): Promise<void> {
    await this.#sweep.stop();
    await this.#store.close();
  }

  async ping(): Promise<void> {
    await this.#store.ping();
  }

  async create(session: CreateSession = {}): Promise<{ readonly session: Session; readonly token: string }> {
    const absoluteMs = Math.ceil(this.#config.absoluteTtlMs);
    const subject = checkSubject(session.subject);
    const idleMs = checkTtl(session.ttlMs, Math.ceil(this.#config.ttlMs), absoluteMs);
    const [token, tokenHash] = this.#newToken();
    const id = uuidV7(this.#ports);
    const created = await this.#store.create({
      id,
      kind: "login",
      tokenHash,
      subject,
      data: session.data ?? {},
      idleMs,
      absoluteMs,
    });
    if (created === "exists") {
      throw new RuntimeError(
        "internal",
        `expected a fresh id and token, got ones that are taken (session ${id}); check the random source`,
        { sessionId: id },
      );
    }
    this.#logger.info({ sessionId: id }, "session created");
    return { session: toSession(created), token };
  }

  async load(token: string): Promise<Session | undefined> {
    const tokenHash = hashToken(token);
    const record = tokenHash === undefined ? undefined : await this.#store.load(tokenHash, { touch: true });
    return record && toSession(record);
  }

  async get(id: string): Promise<Session | undefined> {
    const record = await this.#store.loadById(id);
    return record && toSession(record);
  }

  async update(id: string, patch: Readonly<Record<string, Json>>, revision?: number): Promise<Session> {
    const checked = checkPatch(patch);
    const isDirect = Object.keys(checked).length > 0 && !needsPresentData(checked);
    if (!isDirect) return this.#inTurn(id, () => this.#merge(id, checked, revision));
    const updated = await this.#commit(id, patchToDelta(checked), revision);
    if (updated === "moved") throw await this.#moved(id, revision);
    return updated;
  }

  async rotate(token: string, graceMs = 0): Promise<{ readonly session: Session; readonly token: string }> {
    checkGrace(graceMs);
    const oldHash = hashToken(token);
    const [newToken, newHash] = this.#newToken();
    const rotated = oldHash === undefined ? "not-found" : await this.#store.rotate(oldHash, newHash, graceMs);
    if (rotated === "not-found") throw notFound("a live session with this current token");
    this.#logger.info({ sessionId: rotated.id, graceMs }, "session token rotated");
    return { session: toSession(rotated), token: newToken };
  }

  async destroy(id: string): Promise<boolean> {
    const wasLive = await this.#store.revoke(id);
    if (wasLive) this.#logger.info({ sessionId: id }, "session ended");
    return wasLive;
  }

  async revokeSubject(subject: string): Promise<number> {
    checkSubject(subject);
    const revoked = await this.#store.revokeSubject(subject);
    this.#logger.info({ sessions: revoked }, "all sessions of a subject ended");
    return revoked;
  }

  async list(query: ListSessions): Promise<{ readonly items: readonly Session[]; readonly nextCursor: string | null }> {
    checkSubject(query.subject);
    const page = await this.#store.list({ ...query, limit: checkLimit(query.limit) });
    return { items: page.items.map(toSession), nextCursor: page.nextCursor };
  }

  /** Reads, computes and commits if nobody else did meanwhile; else again, from what is there then. */
  async #merge(id: string, patch: Readonly<Record<string, Json>>, revision?: number): Promise<Session> {
    for (let attempt = 1; attempt <= MAX_MERGE_ATTEMPTS; attempt += 1) {
      const present = await this.#store.loadById(id);
      if (!present) throw notFound("a live session", id);
      if (revision !== undefined && revision !== present.revision) throw moved(id, revision, present.revision);
      const delta = patchToDelta(patch, present.data);
      if (isEmptyDelta(delta)) return toSession(present);
      const updated = await this.#commit(id, delta, present.revision);
      if (updated !== "moved") return updated;
    }
    throw await this.#moved(id, revision);
  }

  async #commit(id: string, delta: SessionDelta, revision: number | undefined): Promise<Session | "moved"> {
    const updated = await this.#store.commit(id, delta, revision);
    if (updated === "not-found") throw notFound("a live session", id);
    return updated === "moved" ? updated : toSession(updated);
  }

  async #moved(id: string, expected: number | undefined): Promise<RuntimeError> {
    const present = await this.#store.loadById(id);
    return present ? moved(id, expected, present.revision) : notFound("a live session", id);
  }

  async #inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#merges.get(id) ?? Promise.resolve()).then(work, work);
    this.#merges.set(id, turn);
    try {
      return await turn;
    } finally {
      if (this.#merges.get(id) === turn) this.#merges.delete(id);
    }
  }

  #newToken(): readonly [token: string, hash: string] {
    const token = createToken(this.#ports.random);
    return [token, hashToken(token) as string];
  }
}

function toSession({ id, kind, subject, data, revision, createdAt, expiresAt }: SessionRecord): Session {
  return { id, kind, subject, data, revision, createdAt, expiresAt };
}

function notFound(expected: string, id?: string): RuntimeError {
  const message = `expected ${expected}, got none: it is unknown, expired, revoked or rotated away; sign in again`;
  return new RuntimeError("session-not-found", message, id === undefined ? {} : { sessionId: id });
}

function moved(id: string, expected: number | undefined, current: number): RuntimeError {
  const message =
    expected === undefined
      ? `expected session ${id} to hold still for one of ${MAX_MERGE_ATTEMPTS} attempts, it is at revision ${current}; try again`
      : `expected session ${id} at revision ${expected}, it is at ${current}; load it and try again`;
  return new RuntimeError("session-revision-moved", message, { sessionId: id, expected: expected ?? null, current });
}
