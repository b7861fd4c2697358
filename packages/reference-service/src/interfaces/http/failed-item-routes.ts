/** Items of a batch that failed: operators look at them, and have them tried again alone. */
import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import type { FailedItem, Runs } from "../../application/ports/runs.js";
import { idempotencyKeyOf } from "./idempotency-key.js";
import { closed, Id, isoTime, operatorOnly, PageQuery, page, Timestamp } from "./schemas.js";
import { Asked } from "./verb-routes.js";

const tags = ["runs"];
const PageOfItems = closed(PageQuery);
const Failed = Type.Object({
  key: Type.String({ description: "Unique in the batch; a part of the keys of what was done for it." }),
  item: Type.Unknown(),
  attempts: Type.Integer(),
  error: Type.Object({ code: Type.String(), message: Type.String(), status: Type.Optional(Type.Integer()) }),
  failed_at: Timestamp,
});
const Retried = Type.Object({
  id: Type.String({ description: "Of the run that tries them: the batch itself while it goes on, else a new one." }),
  items: Type.Integer({ description: "How many are tried again." }),
});

export function failedItemRoutes(app: FastifyInstance, { runs }: { readonly runs: Runs }): void {
  const path = "/api/v1/runs/:id/failed-items";

  app.get<{ Params: Static<typeof Id>; Querystring: Static<typeof PageOfItems> }>(
    path,
    {
      schema: {
        tags,
        summary: "Items of a batch that failed, in the order of their failing",
        security: operatorOnly,
        params: Id,
        querystring: PageOfItems,
        response: { 200: page(Failed) },
      },
    },
    async (request) => {
      const { limit = 50, cursor } = request.query;
      const found = await runs.failedItems(request.params.id, { limit, ...(cursor === undefined ? {} : { cursor }) });
      return { items: found.items.map(presentFailed), next_cursor: found.nextCursor };
    },
  );

  app.post<{ Params: Static<typeof Id>; Body: Static<typeof Asked> }>(
    `${path}/retry`,
    {
      schema: {
        tags,
        summary: "Try the failed items of a batch again, and no others",
        security: operatorOnly,
        params: Id,
        headers: Type.Object({ "idempotency-key": Type.Optional(Type.String()) }),
        body: Asked,
        response: { 202: Retried },
      },
    },
    async (request, reply) => {
      const { reason, actor = "operator" } = request.body;
      const idempotencyKey = idempotencyKeyOf(request.headers["idempotency-key"]);
      const { run: id, items } = await runs.retryFailed(request.params.id, {
        ...{ reason, actor },
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      });
      return reply.code(202).header("location", `/api/v1/runs/${id}`).send({ id, items });
    },
  );
}

function presentFailed({ key, item, attempts, error, failedAt }: FailedItem): object {
  return { key, item, attempts, error, failed_at: isoTime(failedAt) };
}
