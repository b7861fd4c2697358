import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type HttpSessionOptions, HttpSessions } from "./http-sessions.js";
import type { RequestSession } from "./request-session.js";
import { answerOf, speaksOfBody } from "./session-problem.js";
import { StoredRequestSession } from "./stored-request-session.js";

export * from "./index.js";

declare module "fastify" {
  interface FastifyRequest {
    /** The session of this request (`@clean-arch/runtime/sessions/fastify`). */
    readonly session: RequestSession;
  }
  interface FastifyContextConfig {
    /** False: this route reads no session ahead; its handler may, by `await request.session.load()`. Default true. */
    readonly session?: boolean;
  }
}

export type FastifySessionOptions = HttpSessionOptions<FastifyRequest>;

/** Where the session of a request is kept; null until somebody asks. */
const SESSION = Symbol("clean-arch.session");

interface WithSession {
  [SESSION]: StoredRequestSession<FastifyRequest> | null;
}

/**
 * A plugin for Fastify 5: `app.register(fastifySessions, { sessions })`. The session is read in `onRequest` and written in `onSend`, before
 * any header leaves. A request without a token costs a look at its cookies.
 */
export function fastifySessions(app: FastifyInstance, options: FastifySessionOptions, done: () => void): void {
  const http = new HttpSessions<FastifyRequest>(options);
  let isRouteWithout = false;

  app.decorateRequest(SESSION, null);
  app.decorateRequest("session", {
    getter(this: FastifyRequest): RequestSession {
      const request = this as FastifyRequest & WithSession;
      request[SESSION] ??= new StoredRequestSession(http, this, http.presented(this));
      return request[SESSION];
    },
  });
  app.addHook("onRoute", ({ config }) => {
    if (config?.session === false) isRouteWithout = true;
  });
  app.addHook("onRequest", (request, reply, next) => {
    const presented = http.presented(request);
    // The route's options are made at each look, so only where a route has some.
    if (presented === null || (isRouteWithout && request.routeOptions.config.session === false)) return next();
    const session = new StoredRequestSession(http, request, presented);
    (request as FastifyRequest & WithSession)[SESSION] = session;
    session.load().then(
      () => next(),
      (error: unknown) => void reply.send(refuse(reply, error)),
    );
  });
  app.addHook("onSend", (request, reply, payload, next) => {
    const session = (request as FastifyRequest & WithSession)[SESSION];
    if (session === null) return next(null, payload);
    const pending = session.commit();
    if (pending === null) {
      tell(session, reply);
      return next(null, payload);
    }
    pending.then(
      () => {
        tell(session, reply);
        next(null, payload);
      },
      (error: unknown) => {
        discard(payload);
        next(null, refuse(reply, error));
      },
    );
  });
  done();

  function refuse(reply: FastifyReply, error: unknown): string {
    const { status, headers, body } = answerOf(error);
    if (status >= 500) http.logger.error({ err: error }, "session failed");
    for (const name of Object.keys(reply.getHeaders())) if (speaksOfBody(name)) reply.removeHeader(name);
    reply.code(status).headers({ ...headers });
    return body;
  }
}

function tell(session: StoredRequestSession<FastifyRequest>, reply: FastifyReply): void {
  if (session.hasNews) session.tell((name, value) => void reply.header(name, value));
}

/** A stream that will not be sent has to be let go. */
function discard(payload: unknown): void {
  if (typeof payload !== "object" || payload === null) return;
  const { destroy, cancel } = payload as { destroy?: () => void; cancel?: () => Promise<void> };
  if (typeof destroy === "function") destroy.call(payload);
  else if (typeof cancel === "function") cancel.call(payload).catch(() => undefined);
}

// As fastify-plugin does: what is decorated here is there for the whole app, and the version is checked.
Object.assign(fastifySessions, {
  [Symbol.for("skip-override")]: true,
  [Symbol.for("fastify.display-name")]: "clean-arch-sessions",
  [Symbol.for("plugin-meta")]: { name: "clean-arch-sessions", fastify: "5.x" },
});
