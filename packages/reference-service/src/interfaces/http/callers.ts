/**
 * Who calls. An operator shows the operator token as a bearer token; a client shows its session's token, in the cookie
 * or as a bearer token. Both may come in one request (cookie and operator token). How a token is read, guarded and
 * exchanged is infrastructure/session/request-sessions.ts.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Session } from "../../application/ports/sessions.js";
import type { HttpSettings } from "./http-settings.js";
import { Problem } from "./problem.js";

export interface CurrentSession {
  readonly session: Session;
  /** The token, when it came as a bearer token; undefined: in the cookie. */
  readonly bearerToken: string | undefined;
}

export interface Callers {
  isOperator(request: FastifyRequest): boolean;
  /** Refuses everybody else: 401 without credentials, 403 with others. */
  requireOperator(request: FastifyRequest): void;
  /** The live session, touched. A bearer token that leads nowhere is refused; a stale cookie is no session. */
  session(request: FastifyRequest): Promise<CurrentSession | undefined>;
  /** Refuses with 401 when there is no live session. */
  requireSession(request: FastifyRequest): Promise<CurrentSession>;
  /** Applies `http.auth`. */
  requireCaller(request: FastifyRequest): Promise<CurrentSession | undefined>;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** True: the answer may come so late that a token exchanged now would be told too late. */
    readonly answersLate?: boolean;
  }
}

const MAX_TOKEN_LENGTH = 512;
const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

export function createCallers(settings: HttpSettings): Callers {
  const operator = digest(settings.operatorToken);

  function isOperator(request: FastifyRequest): boolean {
    const token = bearerTokenOf(request);
    return token !== undefined && timingSafeEqual(digest(token), operator);
  }

  async function session(request: FastifyRequest): Promise<CurrentSession | undefined> {
    const isOwn = request.headers.authorization !== undefined && !isOperator(request);
    const bearerToken = isOwn ? bearerTokenOf(request) : undefined;
    // Whoever shows a token means that one: the cookie does not stand in for it.
    if (isOwn && bearerToken === undefined) throw noSession();
    await request.session.load({ rotate: request.routeOptions.config.answersLate !== true });
    const { stored, transport } = request.session;
    if (isOwn && transport !== "bearer") throw noSession();
    return stored === null ? undefined : { session: stored, bearerToken };
  }

  async function requireSession(request: FastifyRequest): Promise<CurrentSession> {
    const current = await session(request);
    if (current === undefined) throw noSession();
    return current;
  }

  function requireOperator(request: FastifyRequest): void {
    if (isOperator(request)) return;
    const anonymous = request.headers.authorization === undefined;
    throw new Problem(
      anonymous ? 401 : 403,
      "operator-token-required",
      "This call needs the operator token as a bearer token.",
      {
        headers: anonymous ? { "www-authenticate": 'Bearer realm="operator"' } : {},
      },
    );
  }

  return {
    isOperator,
    requireOperator,
    session,
    requireSession,
    async requireCaller(request) {
      if (settings.auth === "none" || isOperator(request)) return session(request);
      if (settings.auth === "session") return requireSession(request);
      requireOperator(request);
      return undefined;
    },
  };
}

/** Guards every route that its document says is for operators, before its body is read. */
export function guardOperatorRoutes(app: FastifyInstance, callers: Callers): void {
  app.addHook("onRequest", async (request) => {
    const security = request.routeOptions.schema?.security ?? [];
    if (security.some((scheme) => "operator" in scheme)) callers.requireOperator(request);
  });
}

function bearerTokenOf(request: FastifyRequest): string | undefined {
  const match = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? "");
  const token = match?.[1];
  return token !== undefined && token.length <= MAX_TOKEN_LENGTH ? token : undefined;
}

const noSession = (): Problem =>
  new Problem(401, "session-not-found", "No live session: none was sent, or it is unknown, expired or revoked.", {
    headers: { "www-authenticate": 'Bearer realm="session"' },
  });
