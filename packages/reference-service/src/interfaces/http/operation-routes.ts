/** What an operator sees of the service itself: its definitions and its live instances. */
import type { FastifyInstance } from "fastify";
import type { DefinitionView, InstanceView, Runs } from "../../application/ports/runs.js";
import { Problem } from "./problem.js";
import { isoTime, JsonObject, operatorOnly, page } from "./schemas.js";

export function operationRoutes(app: FastifyInstance, { runs }: { readonly runs: Runs }): void {
  const schema = (summary: string) => ({
    tags: ["operations"],
    summary,
    security: operatorOnly,
    response: { 200: page(JsonObject) },
  });

  app.get("/api/v1/definitions", { schema: schema("Sagas and tasks with their graphs") }, async () => ({
    items: runs.definitions().map(presentDefinition),
    next_cursor: null,
  }));

  app.get("/api/v1/instances", { schema: schema("Live instances, their leases and load") }, async () => ({
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
