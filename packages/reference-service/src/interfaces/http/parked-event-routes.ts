/** Events that nobody could handle: operators look at them, hand them in again, or say that they are never handled. */
import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import type { Events, ParkedEvent } from "../../application/ports/events.js";
import { closed, isoTime, JsonObject, NoContent, operatorOnly, PageQuery, page, Timestamp } from "./schemas.js";

const tags = ["events"];
const Group = Type.String({
  minLength: 1,
  maxLength: 128,
  description: "Of those who handle it, as the list shows it.",
});
const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 128, description: "Of the event." }) });
const ListQuery = closed({ group: Type.Optional(Group), ...PageQuery });
const Wanted = closed({
  group: Type.Optional(Type.String({ ...Group, description: "Needed where it is parked in several." })),
});
const Unwanted = closed({
  ...Wanted.properties,
  reason: Type.String({ pattern: "\\S", maxLength: 500, description: "Logged." }),
  actor: Type.Optional(
    Type.String({ pattern: "\\S", maxLength: 200, description: "Who asks; logged. Default: operator." }),
  ),
});
const Parked = Type.Object({
  id: Type.String(),
  group: Type.String(),
  subject: Type.String({ description: "Its type, under which brokers carry it." }),
  attempts: Type.Integer(),
  error: Type.Object({ code: Type.String(), message: Type.String() }),
  parked_at: Timestamp,
  event: Type.Union([JsonObject, Type.String()], { description: "The CloudEvent; text when it is none." }),
});

export function parkedEventRoutes(app: FastifyInstance, { events }: { readonly events: Events }): void {
  const shared = { tags, security: operatorOnly };
  const path = "/api/v1/parked-events";

  app.get<{ Querystring: Static<typeof ListQuery> }>(
    path,
    {
      schema: {
        ...shared,
        summary: "Events that could not be handled, newest first",
        querystring: ListQuery,
        response: { 200: page(Parked) },
      },
    },
    async (request) => {
      const { limit = 50, ...query } = request.query;
      const { items, nextCursor } = await events.parked.list({ ...query, limit });
      return { items: items.map(shown), next_cursor: nextCursor };
    },
  );

  app.post<{ Params: Static<typeof Id>; Body: Static<typeof Wanted> }>(
    `${path}/:id/redrive`,
    {
      schema: {
        ...shared,
        summary: "Handle a parked event now; it stays parked when that fails",
        params: Id,
        body: Wanted,
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      await events.parked.redrive(request.params.id, request.body.group);
      return reply.code(204).send();
    },
  );

  app.post<{ Params: Static<typeof Id>; Body: Static<typeof Unwanted> }>(
    `${path}/:id/discard`,
    {
      schema: {
        ...shared,
        summary: "Never handle a parked event",
        params: Id,
        body: Unwanted,
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      const { group, reason, actor = "operator" } = request.body;
      await events.parked.discard(request.params.id, group, { actor, reason });
      return reply.code(204).send();
    },
  );
}

function shown({ group, event, error, attempts, parkedAt }: ParkedEvent): object {
  const { id, subject, body } = event;
  return { id, group, subject, attempts, error, parked_at: isoTime(parkedAt), event: contentOf(body) };
}

/** What could not be read may be anything. */
function contentOf(body: string): unknown {
  try {
    const content: unknown = JSON.parse(body);
    return typeof content === "object" && content !== null && !Array.isArray(content) ? content : body;
  } catch {
    return body;
  }
}
