import type { IncomingMessage, ServerResponse } from "node:http";
import { gateHeaders } from "./header-gate.js";
import { type HttpSessionOptions, HttpSessions } from "./http-sessions.js";
import type { RequestSession } from "./request-session.js";
import { answerOf, type SessionProblem } from "./session-problem.js";
import { StoredRequestSession } from "./stored-request-session.js";

export * from "./index.js";

declare global {
  namespace Express {
    interface Request {
      /** The session of this request (`@clean-arch/runtime/sessions/express`). */
      session: RequestSession;
    }
  }
}

/** The least that is needed of an Express request; Node's own will do. */
export interface ExpressRequestLike extends IncomingMessage {
  readonly ip?: string | undefined;
  session?: RequestSession;
}

export interface ExpressSessionOptions extends HttpSessionOptions<ExpressRequestLike> {
  /** False: sessions are not read ahead; a handler may, by `await request.session.load()`. Default true. */
  readonly read?: boolean;
}

export type ExpressSessionMiddleware = (
  request: ExpressRequestLike,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Middleware for Express 4 and 5, and for whatever else takes Node's requests: `app.use(expressSessions({ sessions }))`. The session is read
 * before the handlers and written before any header leaves; a request that only reads keeps its response as it is.
 */
export function expressSessions(options: ExpressSessionOptions): ExpressSessionMiddleware {
  const http = new HttpSessions<ExpressRequestLike>(options);
  const { read = true } = options;

  return (request, response, next) => {
    if (request.session !== undefined) return next();
    const presented = http.presented(request);
    const session: StoredRequestSession<ExpressRequestLike> = new StoredRequestSession(http, request, presented, () =>
      gateHeaders(response, { before: () => beforeHeaders(session, response) }),
    );
    request.session = session;
    if (presented === null || !read) return next();
    session.load().then(
      () => next(),
      (error: unknown) => send(response, refusal(error)),
    );
  };

  function beforeHeaders(
    session: StoredRequestSession<ExpressRequestLike>,
    response: ServerResponse,
  ): Promise<SessionProblem | null> | null {
    const tell = (): null => {
      session.tell((name, value) => {
        if (name === "set-cookie") response.appendHeader(name, value);
        else response.setHeader(name, value);
      });
      return null;
    };
    const pending = session.commit();
    return pending === null ? tell() : pending.then(tell, refusal);
  }

  function refusal(error: unknown): SessionProblem {
    const problem = answerOf(error);
    if (problem.status >= 500) http.logger.error({ err: error }, "session failed");
    return problem;
  }
}

function send(response: ServerResponse, { status, headers, body }: SessionProblem): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.end(body);
}
