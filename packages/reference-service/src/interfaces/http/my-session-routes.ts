/** A subject's sessions, for the subject itself: where it is signed in, and how it signs out there. */
import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import type { Sessions } from "../../application/ports/sessions.js";
import type { HttpContext } from "./http-context.js";
import { originOf } from "./origin.js";
import { Problem } from "./problem.js";
import { closed, Id, NoContent, PageQuery, page } from "./schemas.js";
import { MySession, mine } from "./session-view.js";

const tags = ["sessions"];
const security = [{ session_cookie: [] }, { session: [] }];

export function mySessionRoutes(
  app: FastifyInstance,
  { sessions }: { readonly sessions: Sessions },
  { callers }: HttpContext,
): void {
  const MineQuery = closed(PageQuery);
  app.get<{ Querystring: Static<typeof MineQuery> }>(
    "/api/v1/sessions/mine",
    {
      schema: {
        tags,
        summary: "Live sessions of the caller's subject",
        security,
        querystring: MineQuery,
        response: { 200: page(MySession) },
      },
    },
    async (request, reply) => {
      const { session } = await callers.requireSession(request);
      reply.header("cache-control", "no-store");
      const { subject } = session;
      // Nobody's sessions do not belong together.
      if (subject === null) return { items: [mine(session, session.id)], next_cursor: null };
      const { items, nextCursor } = await sessions.list({ ...request.query, subject });
      return { items: items.map((one) => mine(one, session.id)), next_cursor: nextCursor };
    },
  );

  app.delete<{ Params: Static<typeof Id> }>(
    "/api/v1/sessions/mine/:id",
    {
      schema: {
        tags,
        summary: "End one of the sessions of the caller's subject",
        security,
        params: Id,
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      const { session } = await callers.requireSession(request);
      const { id } = request.params;
      if (id === session.id) await request.session.destroy();
      else {
        const other = session.subject === null ? undefined : await sessions.get(id);
        const isMine = other?.kind === "login" && other.subject === session.subject;
        if (!isMine || !(await sessions.destroy(id, originOf(request))))
          throw new Problem(404, "not-found", "No live session of yours has this id.");
      }
      return reply.code(204).header("cache-control", "no-store").send();
    },
  );

  app.delete(
    "/api/v1/sessions/current/others",
    {
      schema: {
        tags,
        summary: "End all sessions of the caller's subject but this one",
        security,
        response: { 200: Type.Object({ revoked: Type.Integer() }) },
      },
    },
    async (request) => {
      const { session } = await callers.requireSession(request);
      return { revoked: session.subject === null ? 0 : await request.session.revokeOthers() };
    },
  );
}
