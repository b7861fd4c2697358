import { type ContextConfig, type LimitsConfig, type RotationConfig, resolveConfig } from "../config.js";
import type { Json } from "../json.js";
import { type Logger, silentLogger } from "../log.js";
import { type Ports, systemPorts } from "../ports.js";
import type { NewSignIn, SessionDelta, SessionStore } from "../store/session-store.js";
import type * as contract from "./manager.js";
import { SessionAccess } from "./session-access.js";
import { SessionAudit } from "./session-audit.js";
import { checkLimit, checkOptionalSubject, checkSubject } from "./session-bounds.js";
import { SessionCreation } from "./session-creation.js";
import type { SessionListener } from "./session-events.js";
import { SessionSignIn } from "./session-sign-in.js";
import { SessionSweep } from "./session-sweep.js";
import { SessionUpdates } from "./session-updates.js";
import { toSession } from "./session-view.js";

export interface SessionManagerOptions {
  readonly store: SessionStore;
  /** `prefix` is for stores with one flat space of keys; the memory and sqlite stores have tables and ignore it. */
  readonly config: ContextConfig;
  /** When `resume` replaces tokens. Default: never. */
  readonly rotation?: Partial<RotationConfig>;
  /** How many sessions a subject has at once. Default: any number. */
  readonly limits?: Partial<LimitsConfig>;
  /** Told what happens to sessions; it delays no call and fails none. Default: nobody. */
  readonly events?: SessionListener;
  /** Default: the system's. */
  readonly ports?: Ports;
  /** Gets the life cycle of sessions by id, never a token. Default: silent. */
  readonly logger?: Logger;
  /** Mean time between sweeps of expired sessions, ms. Default 60,000. */
  readonly sweepIntervalMs?: number;
  /** Sessions that one sweep step tells of and deletes. Default 500. */
  readonly sweepBatchSize?: number;
}

/** Error: `config-invalid` when a part of the config does not fit (`resolveConfig`). */
export function createSessionManager(options: SessionManagerOptions): contract.SessionManager {
  return new StoreSessionManager(options);
}

/** Holds no session: every call asks the store, so what one instance ends is ended on all. */
class StoreSessionManager implements contract.SessionManager {
  readonly #store: SessionStore;
  readonly #audit: SessionAudit;
  readonly #access: SessionAccess;
  readonly #creation: SessionCreation;
  readonly #signIn: SessionSignIn;
  readonly #updates: SessionUpdates;
  readonly #sweep: SessionSweep;

  constructor(options: SessionManagerOptions) {
    const { store, ports = systemPorts, logger = silentLogger, events } = options;
    const { rotation = {}, limits = {}, sweepIntervalMs = 60_000, sweepBatchSize = 500 } = options;
    const config = resolveConfig({ context: options.config, rotation, limits });
    const audit = new SessionAudit(events, logger, ports.clock);
    this.#store = store;
    this.#audit = audit;
    this.#access = new SessionAccess({ store, rotation: config.rotation, ports, audit });
    this.#creation = new SessionCreation({ store, config, ports, audit });
    this.#signIn = new SessionSignIn(store, this.#creation, audit);
    this.#updates = new SessionUpdates(store);
    const pace = { intervalMs: sweepIntervalMs, batchSize: sweepBatchSize };
    this.#sweep = new SessionSweep({ store, audit, ports, logger, ...pace });
  }

  async open(): Promise<void> {
    await this.#store.open();
    this.#sweep.start();
  }

  async close(): Promise<void> {
    await this.#sweep.stop();
    await this.#store.close();
    await this.#audit.settled();
  }

  async ping(): Promise<void> {
    await this.#store.ping();
  }

  async create(session: contract.CreateSession = {}, origin?: contract.Origin): Promise<contract.IssuedSession> {
    return this.#creation.create(session, origin);
  }

  async load(token: string, origin?: contract.Origin): Promise<contract.Session | undefined> {
    const record = await this.#access.load(token, { touch: true }, origin);
    return record && toSession(record);
  }

  resume(token: string, origin?: contract.Origin): Promise<contract.ResumedSession | undefined> {
    return this.#access.resume(token, origin);
  }

  async get(id: string): Promise<contract.Session | undefined> {
    const record = await this.#store.loadById(id);
    return record && toSession(record);
  }

  update(id: string, patch: Readonly<Record<string, Json>>, revision?: number): Promise<contract.Session>;
  update(id: string, change: contract.ChangeData): Promise<contract.Session>;
  async update(
    id: string,
    patch: Readonly<Record<string, Json>> | contract.ChangeData,
    revision?: number,
  ): Promise<contract.Session> {
    return typeof patch === "function" ? this.#updates.change(id, patch) : this.#updates.merge(id, patch, revision);
  }

  async write(id: string, delta: SessionDelta, revision?: number): Promise<contract.Session> {
    return this.#updates.write(id, delta, revision);
  }

  async signIn(
    token: string | undefined,
    request: contract.SignInRequest,
    origin?: contract.Origin,
  ): Promise<contract.IssuedSession> {
    const former = token === undefined ? undefined : () => this.#access.load(token, { touch: false }, origin);
    return this.#signIn.signIn(former, request, origin);
  }

  async stepUp(token: string, signIn: NewSignIn, origin?: contract.Origin): Promise<contract.IssuedSession> {
    return this.#access.stepUp(token, signIn, origin);
  }

  async rotate(token: string, graceMs = 0, origin?: contract.Origin): Promise<contract.IssuedSession> {
    return this.#access.rotate(token, graceMs, origin);
  }

  async destroy(id: string, origin?: contract.Origin): Promise<boolean> {
    const ended = await this.#store.revoke(id);
    if (ended) this.#audit.tell({ kind: "revoked", id: ended.id, subject: ended.subject }, origin);
    return ended !== undefined;
  }

  async revokeSubject(subject: string, except?: string, origin?: contract.Origin): Promise<number> {
    checkSubject(subject);
    const sessions = await this.#store.revokeSubject(subject, except);
    this.#audit.tell({ kind: "subject-revoked", subject, sessions }, origin);
    return sessions;
  }

  async revokeAll(origin?: contract.Origin): Promise<number> {
    const sessions = await this.#store.revokeAll();
    this.#audit.tell({ kind: "all-revoked", sessions }, origin);
    return sessions;
  }

  async list(query: contract.ListSessions): ReturnType<contract.SessionManager["list"]> {
    checkOptionalSubject(query.subject);
    const page = await this.#store.list({ ...query, limit: checkLimit(query.limit) });
    return { items: page.items.map(toSession), nextCursor: page.nextCursor };
  }
}
