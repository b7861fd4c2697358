/** Login sessions: a client makes, reads, changes and ends its own; an operator lists and revokes those of others. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import Type, { type Static } from "typebox";
import type { Session, Sessions } from "../../application/ports/sessions.js";
import type { HttpContext } from "./http-context.js";
import { matchingRevisions } from "./if-match.js";
import { mySessionRoutes } from "./my-session-routes.js";
import { originOf } from "./origin.js";
import { Problem } from "./problem.js";
import { revokingRoutes } from "./revoking-routes.js";
import { closed, JsonObject, NoContent } from "./schemas.js";
import { OwnSession, sendOwn } from "./session-view.js";

const Subject = Type.String({ minLength: 1, maxLength: 256 });
const Transport = Type.Enum(["cookie", "bearer"], { default: "cookie" });
const Device = closed({
  ip: Type.Optional(Type.String({ maxLength: 64 })),
  user_agent: Type.Optional(Type.String({ maxLength: 512 })),
  label: Type.Optional(Type.String({ maxLength: 128 })),
});
const tags = ["sessions"];
const own = [{ session_cookie: [] }, { session: [] }];

interface Served {
  readonly sessions: Sessions;
}

export function sessionRoutes(app: FastifyInstance, application: Served, context: HttpContext): void {
  beginRoute(app, application, context);
  currentRoutes(app, application, context);
  mySessionRoutes(app, application, context);
  revokingRoutes(app, application);
}

function beginRoute(app: FastifyInstance, { sessions }: Served, { callers, settings }: HttpContext): void {
  const maxSeconds = Math.floor(settings.sessionLifetimeMs / 1_000);
  const NewSession = closed({
    subject: Type.Optional(Subject),
    data: Type.Optional(JsonObject),
    ttl: Type.Optional(Type.Integer({ minimum: 1, maximum: maxSeconds, description: "Idle time in seconds." })),
    transport: Type.Optional(Transport),
    device: Type.Optional(
      Type.Object(Device.properties, {
        description: "By what its owner recognizes it. Default: the request's address and agent.",
      }),
    ),
  });
  type Wanted = Static<typeof NewSession>;

  /** A token travels in the cookie, or in the body: never in both. */
  async function begin(request: FastifyRequest, { subject, transport = "cookie", ...wanted }: Wanted) {
    const options = { ...optionsOf(wanted), device: deviceOf(request, wanted.device) };
    if (transport === "bearer") {
      const origin = originOf(request);
      if (subject === undefined) return sessions.create(options, origin);
      return sessions.signIn(undefined, { ...options, subject }, origin);
    }
    await request.session.load({ rotate: false });
    // The session that the cookie led to is dead: its place is taken, and a login must not leave it open.
    if (subject === undefined) await request.session.begin(options, transport);
    else await request.session.signIn({ ...options, subject, keepData: false }, transport);
    return { session: request.session.stored as Session, token: undefined };
  }

  app.post<{ Body: Wanted }>(
    "/api/v1/sessions",
    { schema: { tags, summary: "Start a session", body: NewSession, response: { 201: OwnSession } } },
    async (request, reply) => {
      // Else anyone would become anyone.
      if (request.body.subject !== undefined && settings.production) callers.requireOperator(request);
      const { session, token } = await begin(request, request.body);
      return reply.code(201).send(sendOwn(request, reply, session, token));
    },
  );
}

function optionsOf({ data, ttl }: { readonly data?: object; readonly ttl?: number }) {
  return {
    ...(data === undefined ? {} : { data: data as Session["data"] }),
    ...(ttl === undefined ? {} : { ttlMs: ttl * 1_000 }),
  };
}

function deviceOf(request: FastifyRequest, given: Static<typeof Device> | undefined): NonNullable<Session["device"]> {
  if (given === undefined) return originOf(request);
  const { user_agent: userAgent, ...device } = given;
  return userAgent === undefined ? device : { ...device, userAgent };
}

function currentRoutes(app: FastifyInstance, { sessions }: Served, { callers }: HttpContext): void {
  app.get(
    "/api/v1/sessions/current",
    { schema: { tags, summary: "The caller's session, touched", security: own, response: { 200: OwnSession } } },
    async (request, reply) => sendOwn(request, reply, (await callers.requireSession(request)).session),
  );

  app.patch<{ Body: Static<typeof JsonObject> }>(
    "/api/v1/sessions/current",
    {
      schema: {
        tags,
        summary: "Change the session's data (JSON Merge Patch)",
        security: own,
        body: JsonObject,
        response: { 200: OwnSession },
      },
    },
    async (request, reply) => {
      const { session } = await callers.requireSession(request);
      const revisions = matchingRevisions(request.headers["if-match"]);
      if (revisions !== undefined && !revisions.includes(session.revision)) throw revisionMoved(session.revision);
      const revision = revisions === undefined ? undefined : session.revision;
      const changed = await sessions.update(session.id, request.body as Session["data"], revision);
      return sendOwn(request, reply, changed);
    },
  );

  app.post(
    "/api/v1/sessions/current/rotate",
    { schema: { tags, summary: "A new token; the old one is dead", security: own, response: { 200: OwnSession } } },
    async (request, reply) => {
      const { bearerToken } = await callers.requireSession(request);
      if (bearerToken !== undefined) {
        const { session, token } = await sessions.rotate(bearerToken, 0, originOf(request));
        return sendOwn(request, reply, session, token);
      }
      await request.session.rotate();
      return sendOwn(request, reply, request.session.stored as Session);
    },
  );

  app.delete(
    "/api/v1/sessions/current",
    { schema: { tags, summary: "End the session", security: own, response: { 204: NoContent } } },
    async (request, reply) => {
      await callers.requireSession(request);
      await request.session.destroy();
      return reply.code(204).header("cache-control", "no-store").send();
    },
  );
}

const revisionMoved = (revision: number): Problem =>
  new Problem(
    412,
    "session-revision-moved",
    `The session is at revision ${revision}: read it again and change what is there.`,
  );
