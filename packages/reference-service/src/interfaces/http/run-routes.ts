/** Runs: read by clients, listed and acted upon by operators. */
import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import type { RunStatus, Runs, RunVerb } from "../../application/ports/runs.js";
import type { HttpContext } from "./http-context.js";
import { idempotencyKeyOf } from "./idempotency-key.js";
import { Problem } from "./problem.js";
import { readableRun } from "./run-access.js";
import { streamRun } from "./run-events.js";
import { presentRow, presentRun, presentSummary, RunSchema, RunSummarySchema } from "./run-view.js";
import { closed, Id, isoTime, JsonObject, operatorOnly, PageQuery, page } from "./schemas.js";
import { signalRoutes } from "./signal-routes.js";

const STATUSES: readonly RunStatus[] = [
  "pending",
  "running",
  "waiting",
  "compensating",
  "stuck",
  "paused",
  "completed",
  "compensated",
  "failed",
  "cancelled",
];
const VERBS: readonly RunVerb[] = ["cancel", "resume", "skip", "abandon"];
const LATER = ["pause", "retry", "compensate"];
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
      schema: {
        tags,
        summary: "Server-sent events until the run ends",
        params: Id,
        response: { 200: { description: "The events.", content: { "text/event-stream": { schema: Type.String() } } } },
      },
    },
    async (request, reply) => {
      const run = await readableRun(request, request.params.id, runs, context);
      await streamRun(request, reply, run.id, runs, context);
    },
  );

  const ListQuery = closed({
    status: Type.Optional(Type.String({ maxLength: 200, description: "One or several, separated by commas." })),
    definition: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    since: Type.Optional(Type.String({ maxLength: 40, description: "ISO 8601 time." })),
    session_id: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    ...PageQuery,
    cursor: Type.Optional(Type.String({ pattern: "^[0-9a-f-]{36}$" })),
  });
  app.get<{ Querystring: Static<typeof ListQuery> }>(
    "/api/v1/runs",
    {
      schema: {
        tags,
        summary: "Runs, newest first",
        security: operatorOnly,
        querystring: ListQuery,
        response: { 200: page(RunSummarySchema) },
      },
    },
    async (request) => {
      const { status, since, session_id: sessionId, ...query } = request.query;
      const { items, nextCursor } = await runs.list({
        ...query,
        ...(status === undefined ? {} : { status: statusesOf(status) }),
        ...(since === undefined ? {} : { since: timeOf(since) }),
        ...(sessionId === undefined ? {} : { sessionId }),
      });
      return { items: items.map(presentSummary), next_cursor: nextCursor };
    },
  );

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

  if (settings.checkpoints) {
    app.get<{ Params: Static<typeof Id> }>(
      "/api/v1/runs/:id/checkpoints",
      {
        schema: {
          tags,
          summary: "Snapshots of the run's context",
          security: operatorOnly,
          params: Id,
          response: { 200: page(JsonObject) },
        },
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
  }

  signalRoutes(app, { runs }, context);

  const Reason = closed({
    reason: Type.String({ pattern: "\\S", maxLength: 500, description: "Kept in the journal." }),
  });
  for (const verb of VERBS) {
    app.post<{ Params: Static<typeof Id>; Body: Static<typeof Reason> }>(
      `/api/v1/runs/:id/${verb}`,
      {
        schema: {
          tags,
          summary: `Ask a run to ${verb}`,
          security: operatorOnly,
          params: Id,
          headers: Type.Object({ "idempotency-key": Type.Optional(Type.String()) }),
          body: Reason,
          response: { 202: RunSchema },
        },
      },
      async (request, reply) => {
        const idempotencyKey = idempotencyKeyOf(request.headers["idempotency-key"]);
        await runs.act(request.params.id, verb, {
          ...{ reason: request.body.reason, actor: "operator" },
          ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
        });
        return reply.code(202).send(presentRun(await runs.get(request.params.id)));
      },
    );
  }
  for (const verb of LATER) {
    app.post<{ Params: Static<typeof Id> }>(
      `/api/v1/runs/:id/${verb}`,
      {
        schema: {
          tags,
          summary: "Not available in this version",
          security: operatorOnly,
          response: {},
        },
      },
      async () => {
        throw new Problem(501, "feature-unavailable", "This call is not available in this version.");
      },
    );
  }
}

function statusesOf(text: string): RunStatus[] {
  const statuses = text.split(",").map((status) => status.trim() as RunStatus);
  if (statuses.every((status) => STATUSES.includes(status))) return statuses;
  throw doesNotFit("status", `expected some of ${STATUSES.join(", ")}`);
}

function timeOf(text: string): number {
  const at = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(at)) return at;
  throw doesNotFit("since", "expected an ISO 8601 time");
}

function doesNotFit(path: string, message: string): Problem {
  return new Problem(422, "validation-failed", "The request's querystring does not fit.", {
    errors: [{ path, message }],
  });
}
