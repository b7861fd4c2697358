/**
 * `request.session` on every route: the token read from the cookie or a bearer token, forged requests and guessing refused, the
 * cookie set whenever the token was exchanged. It is read where a route asks for it (interfaces/http/callers.ts), not before: an
 * operator's call, or one that is for everybody, costs the store nothing.
 */
import type { SessionListener, SessionManager } from "@clean-arch/runtime";
import { fastifySessions } from "@clean-arch/runtime/sessions/fastify";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Logger } from "../../application/ports/logger.js";
import type { Settings } from "../config/settings.js";

export interface RequestSessionSources {
  readonly sessions: SessionManager;
  readonly events: SessionListener;
  readonly logger: Logger;
}

/** What the server does before its routes are made. */
export function requestSessions(
  { cookie }: Pick<Settings, "cookie">,
  { sessions, events, logger }: RequestSessionSources,
): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.addHook("onRoute", (route) => {
      route.config = { ...route.config, session: false };
    });
    await app.register(fastifySessions, {
      ...{ sessions, events, logger, cookie },
      // A client that holds its token itself exchanges it when it wants to: POST /api/v1/sessions/current/rotate.
      bearer: { rotate: false },
      csrf: { exempt: saysNothingOfItsPage },
      // Cookies are those of the whole domain, of other services, too.
      clearSiteData: ["storage"],
    });
  };
}

/** No browser: each of them names the site or the origin of what a page has it send. */
function saysNothingOfItsPage({ headers }: FastifyRequest): boolean {
  return headers["sec-fetch-site"] === undefined && headers.origin === undefined;
}
