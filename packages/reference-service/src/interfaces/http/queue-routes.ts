/** Queues: what operators see of the limits that runs wait for. */
import type { FastifyInstance } from "fastify";
import Type from "typebox";
import type { QueueView, Runs } from "../../application/ports/runs.js";
import { isoTimeOrNull, OptionalTimestamp, operatorOnly, page } from "./schemas.js";

const Limit = Type.Union([Type.Integer(), Type.Null()], { description: "Null: any number." });
const Queue = Type.Object({
  queue: Type.String(),
  concurrency: Limit,
  concurrency_per_key: Limit,
  rate_limit: Type.Union([Type.Object({ max: Type.Integer(), window_ms: Type.Integer() }), Type.Null()]),
  waiting: Type.Integer({ description: "Runs that are due and wait for a place." }),
  delayed: Type.Integer({ description: "Runs that are to begin later." }),
  running: Type.Integer({ description: "Places that are held." }),
  next_start_at: OptionalTimestamp,
});

export function queueRoutes(app: FastifyInstance, { runs }: { readonly runs: Runs }): void {
  app.get(
    "/api/v1/queues",
    {
      schema: {
        tags: ["operations"],
        summary: "Limited queues, and how they stand",
        security: operatorOnly,
        response: { 200: page(Queue) },
      },
    },
    async () => ({ items: (await runs.queues()).map(presentQueue), next_cursor: null }),
  );
}

function presentQueue({ concurrencyPerKey, rateLimit, nextStartAt, ...view }: QueueView): object {
  return {
    ...view,
    concurrency_per_key: concurrencyPerKey,
    rate_limit: rateLimit && { max: rateLimit.max, window_ms: rateLimit.windowMs },
    next_start_at: isoTimeOrNull(nextStartAt),
  };
}
