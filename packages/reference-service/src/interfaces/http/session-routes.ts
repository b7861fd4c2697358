/** Login sessions: a client makes, reads, changes and ends its own; an operator lists and revokes those of others. */
import type { FastifyInstance, FastifyReply } from "fastify";
import Type, { type Static } from "typebox";
import type { Session, Sessions } from "../../application/ports/sessions.js";
import type { CurrentSession } from "./callers.js";
import type { HttpContext } from "./http-context.js";
import { etagOf, matchingRevisions } from "./if-match.js";
import { Problem } from "./problem.js";
import { closed, Id, isoTime, JsonObject, NoContent, operatorOnly, PageQuery, page, Timestamp } from "./schemas.js";

const SessionView = Type.Object({
  id: Type.String(),
  subject: Type.Union([Type.String(), Type.Null()]),
  data: JsonObject,
  revision: Type.Integer(),
  created_at: Timestamp,
  expires_at: Timestamp,
  token: Type.Optional(Type.String({ description: "With transport bearer only, and only here." })),
});
const Subject = Type.String({ minLength: 1, maxLength: 256 });
const Transport = Type.Enum(["cookie", "bearer"], { default: "cookie" });
const tags = ["sessions"];
const own = [{ session_cookie: [] }, { session: [] }];

export function sessionRoutes(
  app: FastifyInstance,
  application: { readonly sessions: Sessions },
  context: HttpContext,
): void {
  const { sessions } = application;
  const { callers, settings } = context;
  const maxSeconds = Math.floor(settings.sessionLifetimeMs / 1_000);
  const NewSession = closed({
    subject: Type.Optional(Subject),
    data: Type.Optional(JsonObject),
    ttl: Type.Optional(Type.Integer({ minimum: 1, maximum: maxSeconds, description: "Idle time in seconds." })),
    transport: Type.Optional(Transport),
  });

  /** A token travels in the cookie, or in the body: never in both, and never into a cache. */
  function sendToken(reply: FastifyReply, made: { session: Session; token: string }, transport: string): object {
    reply.header("cache-control", "no-store").header("etag", etagOf(made.session.revision));
    if (transport === "bearer") return { ...present(made.session), token: made.token };
    reply.header("set-cookie", callers.cookie.set(made.token));
    return present(made.session);
  }

  app.post<{ Body: Static<typeof NewSession> }>(
    "/api/v1/sessions",
    { schema: { tags, summary: "Start a session", body: NewSession, response: { 201: SessionView } } },
    async (request, reply) => {
      const { subject, data, ttl, transport = "cookie" } = request.body;
      // Else anyone would become anyone.
      if (subject !== undefined && settings.production) callers.requireOperator(request);
      const made = await sessions.create({
        ...(subject === undefined ? {} : { subject }),
        ...(data === undefined ? {} : { data: data as Session["data"] }),
        ...(ttl === undefined ? {} : { ttlMs: ttl * 1_000 }),
      });
      return reply.code(201).send(sendToken(reply, made, transport));
    },
  );

  app.get(
    "/api/v1/sessions/current",
    { schema: { tags, summary: "The caller's session, touched", security: own, response: { 200: SessionView } } },
    async (request, reply) => sendCurrent(reply, (await callers.requireSession(request)).session),
  );

  app.patch<{ Body: Static<typeof JsonObject> }>(
    "/api/v1/sessions/current",
    {
      schema: {
        tags,
        summary: "Change the session's data (JSON Merge Patch)",
        security: own,
        body: JsonObject,
        response: { 200: SessionView },
      },
    },
    async (request, reply) => {
      const { session } = await callers.requireSession(request);
      const revisions = matchingRevisions(request.headers["if-match"]);
      if (revisions !== undefined && !revisions.includes(session.revision)) throw revisionMoved(session.revision);
      const revision = revisions === undefined ? undefined : session.revision;
      return sendCurrent(reply, await sessions.update(session.id, request.body as Session["data"], revision));
    },
  );

  app.post(
    "/api/v1/sessions/current/rotate",
    { schema: { tags, summary: "A new token; the old one is dead", security: own, response: { 200: SessionView } } },
    async (request, reply) => {
      const { token, transport }: CurrentSession = await callers.requireSession(request);
      return sendToken(reply, await sessions.rotate(token), transport);
    },
  );

  app.delete(
    "/api/v1/sessions/current",
    { schema: { tags, summary: "End the session", security: own, response: { 204: NoContent } } },
    async (request, reply) => {
      const { session } = await callers.requireSession(request);
      await sessions.destroy(session.id);
      return reply.code(204).header("set-cookie", callers.cookie.clear()).header("cache-control", "no-store").send();
    },
  );

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
        response: { 200: page(SessionView) },
      },
    },
    async (request) => {
      const { items, nextCursor } = await sessions.list(request.query);
      return { items: items.map(present), next_cursor: nextCursor };
    },
  );

  const RevokeQuery = closed({ subject: Subject });
  app.delete<{ Querystring: Static<typeof RevokeQuery> }>(
    "/api/v1/sessions",
    {
      schema: {
        tags,
        summary: "Revoke every session of a subject",
        security: operatorOnly,
        querystring: RevokeQuery,
        response: { 200: Type.Object({ revoked: Type.Integer() }) },
      },
    },
    async (request) => {
      return { revoked: await sessions.revokeSubject(request.query.subject) };
    },
  );

  app.delete<{ Params: Static<typeof Id> }>(
    "/api/v1/sessions/:id",
    {
      schema: { tags, summary: "Revoke one session", security: operatorOnly, params: Id, response: { 204: NoContent } },
    },
    async (request, reply) => {
      if (!(await sessions.destroy(request.params.id)))
        throw new Problem(404, "not-found", "No live session has this id.");
      return reply.code(204).send();
    },
  );
}

const revisionMoved = (revision: number): Problem =>
  new Problem(
    412,
    "session-revision-moved",
    `The session is at revision ${revision}: read it again and change what is there.`,
  );

function sendCurrent(reply: FastifyReply, session: Session): object {
  reply.header("cache-control", "no-store").header("etag", etagOf(session.revision));
  return present(session);
}

function present({ id, subject, data, revision, createdAt, expiresAt }: Session): object {
  return { id, subject, data, revision, created_at: isoTime(createdAt), expires_at: isoTime(expiresAt) };
}
