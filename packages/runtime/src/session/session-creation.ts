import type { SessionConfig } from "../config.js";
import { RuntimeError } from "../errors.js";
import type { JsonObject } from "../json.js";
import type { Ports } from "../ports.js";
import type { NewSession, SessionStore } from "../store/session-store.js";
import type { CreateSession, IssuedSession, Origin } from "./manager.js";
import { hashOf } from "./rotate-token.js";
import type { SessionAudit } from "./session-audit.js";
import {
  checkDevice,
  checkFields,
  checkLifetime,
  checkOptionalSubject,
  checkSignIn,
  checkTtl,
} from "./session-bounds.js";
import { limitReached } from "./session-refusals.js";
import { toSession } from "./session-view.js";
import { createSessionId, createToken } from "./token.js";

/** A login whose every part was checked; without id, token and data. */
export interface PreparedLogin extends Omit<NewSession, "id" | "tokenHash" | "data"> {
  readonly kind: "login";
}

export interface SessionCreationOptions {
  readonly store: SessionStore;
  readonly config: Pick<SessionConfig, "context" | "limits">;
  readonly ports: Ports;
  readonly audit: SessionAudit;
}

/** Makes new logins, within the limit of their subject. */
export class SessionCreation {
  readonly #options: SessionCreationOptions;

  constructor(options: SessionCreationOptions) {
    this.#options = options;
  }

  async create(request: CreateSession, origin?: Origin): Promise<IssuedSession> {
    const login = this.prepare(request);
    const issued = await this.store(login, checkFields(request.data ?? {}), origin);
    this.#options.audit.tell({ kind: "created", id: issued.session.id, subject: issued.session.subject }, origin);
    return issued;
  }

  /** Error: `input-invalid`. */
  prepare(request: Omit<CreateSession, "data">): PreparedLogin {
    const { context, limits } = this.#options.config;
    const subject = checkOptionalSubject(request.subject);
    const absoluteMs = checkLifetime(request.lifetimeMs, Math.ceil(context.absoluteTtlMs));
    const idleMs = checkTtl(request.ttlMs, Math.ceil(context.ttlMs), absoluteMs);
    return {
      ...{ kind: "login", subject, idleMs, absoluteMs, device: checkDevice(request.device) },
      signIn: request.signIn === undefined ? null : checkSignIn(request.signIn),
      ...(limits.perSubject !== null && { limit: { max: limits.perSubject, policy: limits.policy } }),
    };
  }

  /** Errors: `session-limit-reached`, and the store's. */
  async store(login: PreparedLogin, data: JsonObject, origin?: Origin): Promise<IssuedSession> {
    const { store, ports, audit } = this.#options;
    const id = createSessionId(login.subject, ports.clock.now(), ports.random);
    const token = createToken(id, ports.random);
    const created = await store.create({ ...login, id, tokenHash: hashOf(token), data });
    if (created === "limit-reached") throw this.refuse(login, origin);
    if (created === "exists") {
      const message = `expected a fresh id, got one that is taken (session ${id}); check the random source`;
      throw new RuntimeError("internal", message, { sessionId: id });
    }
    for (const { id: evicted, subject } of created.evicted)
      audit.tell({ kind: "evicted", id: evicted, subject }, origin);
    return { session: toSession(created.session), token };
  }

  refuse({ subject, limit }: PreparedLogin, origin?: Origin): RuntimeError {
    const max = limit?.max ?? 0;
    this.#options.audit.tell({ kind: "limit-reached", subject: subject ?? "", max }, origin);
    return limitReached(max);
  }
}
