/** Finding runs, page by page. What is created meanwhile does not shift the pages that follow. */
import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import type { RunStatus, Runs } from "../../application/ports/runs.js";
import { Problem } from "./problem.js";
import { presentSummary, RunSummarySchema } from "./run-view.js";
import { closed, operatorOnly, PageQuery, page } from "./schemas.js";

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

const time = (description: string) => Type.Optional(Type.String({ maxLength: 40, description }));
const name = (maxLength: number, description?: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength, ...(description === undefined ? {} : { description }) }));

const SearchQuery = closed({
  status: Type.Optional(Type.String({ maxLength: 200, description: "One or several, separated by commas." })),
  definition: name(128),
  since: time("Created then or later: an ISO 8601 time."),
  until: time("Created before: an ISO 8601 time."),
  session_id: name(128),
  business_key: name(256, "As given at the start."),
  attribute: Type.Optional(
    Type.Array(Type.String({ maxLength: 400 }), { maxItems: 20, description: "`<name>:<value>`; all of them hold." }),
  ),
  parent_id: name(128, "Children of this run."),
  ...PageQuery,
  cursor: Type.Optional(Type.String({ pattern: "^[0-9a-f-]{36}$" })),
});

export function searchRoutes(app: FastifyInstance, { runs }: { readonly runs: Runs }): void {
  app.get<{ Querystring: Static<typeof SearchQuery> }>(
    "/api/v1/runs",
    {
      schema: {
        tags: ["runs"],
        summary: "Runs, newest first",
        security: operatorOnly,
        querystring: SearchQuery,
        response: { 200: page(RunSummarySchema) },
      },
    },
    async (request) => {
      const { status, since, until, session_id, business_key, attribute, parent_id, ...query } = request.query;
      const { items, nextCursor } = await runs.list({
        ...query,
        ...(status === undefined ? {} : { status: statusesOf(status) }),
        ...(since === undefined ? {} : { since: timeOf("since", since) }),
        ...(until === undefined ? {} : { until: timeOf("until", until) }),
        ...(session_id === undefined ? {} : { sessionId: session_id }),
        ...(business_key === undefined ? {} : { businessKey: business_key }),
        ...(attribute === undefined ? {} : { attributes: attributesOf(attribute) }),
        ...(parent_id === undefined ? {} : { parentId: parent_id }),
      });
      return { items: items.map(presentSummary), next_cursor: nextCursor };
    },
  );
}

function statusesOf(text: string): RunStatus[] {
  const statuses = text.split(",").map((status) => status.trim() as RunStatus);
  if (statuses.every((status) => STATUSES.includes(status))) return statuses;
  throw doesNotFit("status", `expected some of ${STATUSES.join(", ")}`);
}

function timeOf(path: string, text: string): number {
  const at = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(at)) return at;
  throw doesNotFit(path, "expected an ISO 8601 time");
}

/** A value may hold colons, a name may not. */
function attributesOf(texts: readonly string[]): Record<string, string> {
  const entries = texts.map((text): [string, string] => {
    const colon = text.indexOf(":");
    if (colon < 1) throw doesNotFit("attribute", "expected <name>:<value>");
    return [text.slice(0, colon), text.slice(colon + 1)];
  });
  if (new Set(entries.map(([key]) => key)).size < entries.length)
    throw doesNotFit("attribute", "expected each name once: no run has two values of one");
  return Object.fromEntries(entries);
}

function doesNotFit(path: string, message: string): Problem {
  return new Problem(422, "validation-failed", "The request's querystring does not fit.", {
    errors: [{ path, message }],
  });
}
