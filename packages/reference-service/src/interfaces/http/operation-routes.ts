/** What an operator sees of the service itself: its definitions and its live instances. */
import type { FastifyInstance } from "fastify";
import Type from "typebox";
import type { DefinitionView, InstanceView, Runs } from "../../application/ports/runs.js";
import { Problem } from "./problem.js";
import { isoTime, JsonObject, operatorOnly, page, Timestamp } from "./schemas.js";

const Instance = Type.Object({
  id: Type.String(),
  label: Type.String({ description: "Host, process and port." }),
  alive: Type.Boolean({ description: "It holds its lease." }),
  started_at: Timestamp,
  renewed_at: Timestamp,
  lease_expires_at: Timestamp,
  runs: Type.Integer({ description: "Runs it advances now." }),
  contexts: Type.Union([Type.Integer(), Type.Null()], {
    description: "Contexts of runs that it keeps in the session store. Null: the session store does not answer.",
  }),
});

export function operationRoutes(app: FastifyInstance, { runs }: { readonly runs: Runs }): void {
  const schema = <Item extends Type.TSchema>(summary: string, item: Item) => ({
    tags: ["operations"],
    summary,
    security: operatorOnly,
    response: { 200: page(item) },
  });

  app.get("/api/v1/definitions", { schema: schema("Sagas and tasks with their graphs", JsonObject) }, async () => ({
    items: runs.definitions().map(presentDefinition),
    next_cursor: null,
  }));

  app.get("/api/v1/instances", { schema: schema("Live instances, their leases and load", Instance) }, async () => ({
    items: (await runs.instances()).map(presentInstance),
    next_cursor: null,
  }));

  app.get("/console", { schema: { hide: true } }, async () => {
    throw new Problem(501, "feature-unavailable", "The console is not available in this version.");
  });
}

function presentDefinition({ timeoutMs, pivotAfterWave, waves, ...view }: DefinitionView): object {
  return {
    ...view,
    timeout_ms: timeoutMs,
    waves: waves.map(({ steps }) => steps),
    pivot_after_wave: pivotAfterWave,
  };
}

function presentInstance({ startedAt, renewedAt, leaseExpiresAt, ...view }: InstanceView): object {
  return {
    ...view,
    started_at: isoTime(startedAt),
    renewed_at: isoTime(renewedAt),
    lease_expires_at: isoTime(leaseExpiresAt),
  };
}
