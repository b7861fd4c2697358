/** How sessions are shown: never a token, but to whom it was just made for. */
import type { FastifyReply, FastifyRequest } from "fastify";
import Type from "typebox";
import type { Session } from "../../application/ports/sessions.js";
import { etagOf } from "./if-match.js";
import { isoTime, isoTimeOrNull, JsonObject, OptionalTimestamp, Timestamp } from "./schemas.js";

const facts = {
  id: Type.String(),
  subject: Type.Union([Type.String(), Type.Null()]),
  data: JsonObject,
  revision: Type.Integer(),
  created_at: Timestamp,
  expires_at: Timestamp,
};

export const OwnSession = Type.Object({
  ...facts,
  token: Type.Optional(Type.String({ description: "With transport bearer only, and only here." })),
  csrf_token: Type.Optional(
    Type.String({
      description:
        "With transport cookie only: for the header x-csrf-token, of a page whose browser does not say where a request comes from.",
    }),
  ),
});

const Device = Type.Union([
  Type.Object({
    ip: Type.Optional(Type.String()),
    user_agent: Type.Optional(Type.String()),
    label: Type.Optional(Type.String()),
  }),
  Type.Null(),
]);

const seen = { last_seen_at: Timestamp, signed_in_at: OptionalTimestamp, device: Device };

/** What an operator sees. */
export const ListedSession = Type.Object({ ...facts, ...seen });

/** What a subject sees of its other sessions: by what to recognize them, and nothing that they hold. */
export const MySession = Type.Object({
  id: Type.String(),
  current: Type.Boolean({ description: "The one that asks." }),
  created_at: Timestamp,
  expires_at: Timestamp,
  ...seen,
});

/** The caller's own session. Nothing of it goes into a cache. */
export function sendOwn(request: FastifyRequest, reply: FastifyReply, session: Session, token?: string): object {
  reply.header("cache-control", "no-store").header("etag", etagOf(session.revision));
  if (token !== undefined) return { ...factsOf(session), token };
  const csrfToken = request.session.csrfToken;
  return csrfToken === null ? factsOf(session) : { ...factsOf(session), csrf_token: csrfToken };
}

export function listed(session: Session): object {
  return { ...factsOf(session), ...seenOf(session) };
}

export function mine(session: Session, currentId: string): object {
  const { id, createdAt, expiresAt } = session;
  const times = { created_at: isoTime(createdAt), expires_at: isoTime(expiresAt) };
  return { id, current: id === currentId, ...times, ...seenOf(session) };
}

function factsOf({ id, subject, data, revision, createdAt, expiresAt }: Session): object {
  return { id, subject, data, revision, created_at: isoTime(createdAt), expires_at: isoTime(expiresAt) };
}

/** Last seen to a tenth of the idle time: a touch is not written sooner. */
function seenOf({ touchedAt, signIn, device }: Session): object {
  return {
    last_seen_at: isoTime(touchedAt),
    signed_in_at: isoTimeOrNull(signIn?.at ?? null),
    device: device && deviceOf(device),
  };
}

function deviceOf({ userAgent, ...device }: NonNullable<Session["device"]>): object {
  return userAgent === undefined ? device : { ...device, user_agent: userAgent };
}
