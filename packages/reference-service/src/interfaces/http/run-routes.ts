/** Runs: read by clients; by operators found, looked into and acted upon. */
import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import type { Runs } from "../../application/ports/runs.js";
import { checkpointRoutes } from "./checkpoint-routes.js";
import { heartbeatRoutes } from "./heartbeat-routes.js";
import type { HttpContext } from "./http-context.js";
import { readableRun } from "./run-access.js";
import { streamRun } from "./run-events.js";
import { presentRow, presentRun, RunSchema } from "./run-view.js";
import { Id, JsonObject, operatorOnly, page } from "./schemas.js";
import { searchRoutes } from "./search-routes.js";
import { signalRoutes } from "./signal-routes.js";
import { verbRoutes } from "./verb-routes.js";

const tags = ["runs"];

interface Served {
  readonly runs: Runs;
}

export function runRoutes(app: FastifyInstance, { runs }: Served, context: HttpContext): void {
  const { settings } = context;

  app.get<{ Params: Static<typeof Id> }>(
    "/api/v1/runs/:id",
    {
      schema: { tags, summary: "A run with its steps", params: Id, response: { 200: RunSchema } },
    },
    async (request) => presentRun(await readableRun(request, request.params.id, runs, context)),
  );

  app.get<{ Params: Static<typeof Id> }>(
    "/api/v1/runs/:id/events",
    {
      // A HEAD request would hold its connection until the run ends.
      exposeHeadRoute: false,
      config: { answersLate: true },
      schema: {
        tags,
        summary: "Server-sent events until the run ends",
        params: Id,
        response: { 200: { description: "The events.", content: { "text/event-stream": { schema: Type.String() } } } },
      },
    },
    async (request, reply) => {
      const run = await readableRun(request, request.params.id, runs, context);
      return streamRun(request, reply, run.id, runs, context);
    },
  );

  searchRoutes(app, { runs });

  app.get<{ Params: Static<typeof Id> }>(
    "/api/v1/runs/:id/journal",
    {
      schema: {
        tags,
        summary: "The run's records",
        security: operatorOnly,
        params: Id,
        response: { 200: page(JsonObject) },
      },
    },
    async (request) => {
      await runs.get(request.params.id);
      return { items: (await runs.journal(request.params.id)).map(presentRow), next_cursor: null };
    },
  );

  if (settings.checkpoints) checkpointRoutes(app, { runs });
  signalRoutes(app, { runs }, context);
  heartbeatRoutes(app, { runs }, context);
  verbRoutes(app, { runs });
}
