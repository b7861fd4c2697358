/** What operators see and end of everybody's sessions. */
import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import type { Sessions } from "../../application/ports/sessions.js";
import { originOf } from "./origin.js";
import { Problem } from "./problem.js";
import { closed, Id, NoContent, operatorOnly, PageQuery, page } from "./schemas.js";
import { ListedSession, listed } from "./session-view.js";

const Subject = Type.String({ minLength: 1, maxLength: 256 });
const tags = ["sessions"];

export function revokingRoutes(app: FastifyInstance, { sessions }: { readonly sessions: Sessions }): void {
  const ListQuery = closed({
    subject: Type.Optional(Subject),
    kind: Type.Optional(Type.Enum(["login", "context"])),
    ...PageQuery,
  });
  app.get<{ Querystring: Static<typeof ListQuery> }>(
    "/api/v1/sessions",
    {
      schema: {
        tags,
        summary: "Live sessions",
        security: operatorOnly,
        querystring: ListQuery,
        response: { 200: page(ListedSession) },
      },
    },
    async (request) => {
      const { items, nextCursor } = await sessions.list(request.query);
      return { items: items.map(listed), next_cursor: nextCursor };
    },
  );

  const RevokeQuery = closed({
    subject: Type.Optional(Subject),
    all: Type.Optional(Type.Boolean({ description: "True, in the place of a subject: everybody's." })),
  });
  app.delete<{ Querystring: Static<typeof RevokeQuery> }>(
    "/api/v1/sessions",
    {
      schema: {
        tags,
        summary: "Revoke every session of a subject, or all sessions of everybody",
        security: operatorOnly,
        querystring: RevokeQuery,
        response: { 200: Type.Object({ revoked: Type.Integer() }) },
      },
    },
    async (request) => {
      const { subject, all = false } = request.query;
      // A subject that got lost on the way must not log out everybody.
      if ((subject === undefined) !== all) throw oneOfThem(subject);
      const origin = originOf(request);
      const revoked =
        subject === undefined
          ? await sessions.revokeAll(origin)
          : await sessions.revokeSubject(subject, undefined, origin);
      return { revoked };
    },
  );

  app.delete<{ Params: Static<typeof Id> }>(
    "/api/v1/sessions/:id",
    {
      schema: { tags, summary: "Revoke one session", security: operatorOnly, params: Id, response: { 204: NoContent } },
    },
    async (request, reply) => {
      if (!(await sessions.destroy(request.params.id, originOf(request))))
        throw new Problem(404, "not-found", "No live session has this id.");
      return reply.code(204).send();
    },
  );
}

function oneOfThem(subject: string | undefined): Problem {
  const message = subject === undefined ? "expected subject" : "expected a subject or all=true, not both";
  return new Problem(422, "validation-failed", "The request's querystring does not fit.", {
    errors: [{ path: "", message }],
  });
}
