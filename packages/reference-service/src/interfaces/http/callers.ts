/**
 * Who calls. An operator shows the operator token as a bearer token; a client shows its session's token, in the cookie
 * or as a bearer token. Both may come in one request (cookie and operator token).
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Session, Sessions } from "../../application/ports/sessions.js";
import { sessionCookie } from "./cookies.js";
import type { HttpSettings } from "./http-settings.js";
import { Problem } from "./problem.js";

export interface CurrentSession {
  readonly session: Session;
  readonly token: string;
  readonly transport: "cookie" | "bearer";
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
  readonly cookie: ReturnType<typeof sessionCookie>;
}

const MAX_TOKEN_LENGTH = 512;
const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

export function createCallers(settings: HttpSettings, sessions: Sessions): Callers {
  const operator = digest(settings.operatorToken);
  const cookie = sessionCookie(settings.cookie);

  function bearer(request: FastifyRequest): string | undefined {
    const match = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? "");
    const token = match?.[1];
    return token !== undefined && token.length <= MAX_TOKEN_LENGTH ? token : undefined;
  }

  function isOperator(request: FastifyRequest): boolean {
    const token = bearer(request);
    return token !== undefined && timingSafeEqual(digest(token), operator);
  }

  async function session(request: FastifyRequest): Promise<CurrentSession | undefined> {
    const authorization = request.headers.authorization;
    if (authorization !== undefined && !isOperator(request)) {
      const token = bearer(request);
      const found = token === undefined ? undefined : await sessions.load(token);
      if (found === undefined || token === undefined) throw noSession();
      return { session: found, token, transport: "bearer" };
    }
    const token = cookie.read(request.headers.cookie);
    if (token === undefined || token.length > MAX_TOKEN_LENGTH) return undefined;
    const found = await sessions.load(token);
    return found === undefined ? undefined : { session: found, token, transport: "cookie" };
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
    cookie,
  };
}

/** Guards every route that its document says is for operators, before its body is read. */
export function guardOperatorRoutes(app: FastifyInstance, callers: Callers): void {
  app.addHook("onRequest", async (request) => {
    const security = request.routeOptions.schema?.security ?? [];
    if (security.some((scheme) => "operator" in scheme)) callers.requireOperator(request);
  });
}

const noSession = (): Problem =>
  new Problem(401, "session-not-found", "No live session: none was sent, or it is unknown, expired or revoked.", {
    headers: { "www-authenticate": 'Bearer realm="session"' },
  });
