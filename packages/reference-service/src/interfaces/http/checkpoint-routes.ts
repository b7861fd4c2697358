/** Snapshots of a run's context: operators look at them, compare two, and have a parked run go on with an older one. */
import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import type { Runs } from "../../application/ports/runs.js";
import { idempotencyKeyOf } from "./idempotency-key.js";
import { presentRun, RunSchema } from "./run-view.js";
import { closed, Id, isoTime, JsonObject, operatorOnly, page, Timestamp } from "./schemas.js";
import { Asked } from "./verb-routes.js";

const tags = ["runs"];
const Place = Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: "Of the checkpoint; from 1 on." });
const One = Type.Object({ ...Id.properties, n: Place });
const Two = closed({ from: Place, to: Place });
const Snapshot = Type.Object({
  n: Type.Integer(),
  seq: Type.Integer({ description: "The row of the journal that it was written with." }),
  fence: Type.Integer({ description: "Of the owner that wrote it." }),
  at: Timestamp,
  bytes: Type.Integer({ description: "Of the context as JSON." }),
  context: Type.Unknown(),
});
const Diff = Type.Object({
  from: Type.Integer(),
  to: Type.Integer(),
  added: Type.Array(Type.Object({ pointer: Type.String(), value: Type.Unknown() })),
  changed: Type.Array(Type.Object({ pointer: Type.String(), from: Type.Unknown(), to: Type.Unknown() })),
  removed: Type.Array(Type.Object({ pointer: Type.String(), value: Type.Unknown() })),
  is_whole: Type.Boolean({ description: "False: there are more differences than the thousand shown." }),
});

export function checkpointRoutes(app: FastifyInstance, { runs }: { readonly runs: Runs }): void {
  const path = "/api/v1/runs/:id/checkpoints";
  const shared = { tags, security: operatorOnly };

  app.get<{ Params: Static<typeof Id> }>(
    path,
    {
      schema: { ...shared, summary: "Snapshots of the run's context", params: Id, response: { 200: page(JsonObject) } },
    },
    async (request) => {
      await runs.get(request.params.id);
      const items = await runs.checkpoints(request.params.id);
      return {
        items: items.map(({ n, seq, fence, at, context }) => ({ n, seq, fence, at: isoTime(at), context })),
        next_cursor: null,
      };
    },
  );

  app.get<{ Params: Static<typeof Id>; Querystring: Static<typeof Two> }>(
    `${path}/diff`,
    {
      schema: {
        ...shared,
        summary: "What became different from one snapshot to another, by JSON pointers",
        params: Id,
        querystring: Two,
        response: { 200: Diff },
      },
    },
    async (request) => {
      const { from, to } = request.query;
      const { isWhole, ...diff } = await runs.diffCheckpoints(request.params.id, from, to);
      return { ...diff, is_whole: isWhole };
    },
  );

  app.get<{ Params: Static<typeof One> }>(
    `${path}/:n`,
    { schema: { ...shared, summary: "One snapshot of the run's context", params: One, response: { 200: Snapshot } } },
    async (request) => {
      const { n, seq, fence, at, bytes, context } = await runs.checkpoint(request.params.id, request.params.n);
      return { n, seq, fence, at: isoTime(at), bytes, context };
    },
  );

  app.post<{ Params: Static<typeof One>; Body: Static<typeof Asked> }>(
    `${path}/:n/restore`,
    {
      schema: {
        ...shared,
        summary: "Have the context of a stuck or paused run be again what it was; what steps did stays done",
        params: One,
        headers: Type.Object({ "idempotency-key": Type.Optional(Type.String()) }),
        body: Asked,
        response: { 202: RunSchema },
      },
    },
    async (request, reply) => {
      const { id, n } = request.params;
      const { reason, actor = "operator" } = request.body;
      const idempotencyKey = idempotencyKeyOf(request.headers["idempotency-key"]);
      await runs.restoreCheckpoint(id, n, {
        ...{ reason, actor },
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      });
      return reply.code(202).send(presentRun(await runs.get(id)));
    },
  );
}
