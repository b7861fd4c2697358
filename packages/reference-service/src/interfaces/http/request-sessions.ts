/**
 * `request.session` on every route: the token read from the cookie or a bearer token, forged requests and guessing refused, the
 * cookie set whenever the token was exchanged. It is read where a route asks for it (callers.ts), not before: an operator's
 * call, or one that is for everybody, costs the store nothing.
 */
import { fastifySessions } from "@clean-arch/runtime/sessions/fastify";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Logger } from "../../application/ports/logger.js";
import type { SessionListener, Sessions } from "../../application/ports/sessions.js";
import type { HttpSettings } from "./http-settings.js";

export interface RequestSessions {
  readonly settings: HttpSettings;
  readonly sessions: Sessions;
  readonly events: SessionListener;
  readonly logger: Logger;
}

/** Before the routes are made. */
export async function readSessions(
  app: FastifyInstance,
  { settings, sessions, events, logger }: RequestSessions,
): Promise<void> {
  app.addHook("onRoute", (route) => {
    route.config = { ...route.config, session: false };
  });
  await app.register(fastifySessions, {
    ...{ sessions, events, logger, cookie: settings.cookie },
    // A client that holds its token itself exchanges it when it wants to: POST /api/v1/sessions/current/rotate.
    bearer: { rotate: false },
    csrf: { exempt: saysNothingOfItsPage },
    // Cookies are those of the whole domain, of other services, too.
    clearSiteData: ["storage"],
  });
}

/** No browser: each of them names the site or the origin of what a page has it send. */
function saysNothingOfItsPage({ headers }: FastifyRequest): boolean {
  return headers["sec-fetch-site"] === undefined && headers.origin === undefined;
}

/** Whom a call is made for; it goes into the events. */
export function originOf(request: FastifyRequest): { readonly ip: string; readonly userAgent?: string } {
  const userAgent = request.headers["user-agent"];
  return userAgent === undefined ? { ip: request.ip } : { ip: request.ip, userAgent };
}
