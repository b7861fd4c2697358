/** Signs of life of participants elsewhere, for attempts that take long. Who may read the run may give one, as with signals. */
import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import type { Json, Runs } from "../../application/ports/runs.js";
import type { HttpContext } from "./http-context.js";
import { readableRun } from "./run-access.js";
import { closed, Id, NoContent } from "./schemas.js";

const Target = Type.Object({
  ...Id.properties,
  stage: Type.String({ minLength: 1, maxLength: 128, description: "As the call's X-Step says, percent-encoded." }),
});
const Beat = closed({
  attempt: Type.Integer({ minimum: 1, maximum: 1_000_000, description: "As the call's X-Attempt says." }),
  details: Type.Optional(Type.Unknown({ description: "How far it is, any JSON: given to the next attempt." })),
});

export function heartbeatRoutes(app: FastifyInstance, { runs }: { readonly runs: Runs }, context: HttpContext): void {
  app.post<{ Params: Static<typeof Target>; Body: Static<typeof Beat> & { details?: Json } }>(
    "/api/v1/runs/:id/heartbeats/:stage",
    {
      schema: {
        tags: ["runs"],
        summary: "A sign of life of a participant; 409 when it need not go on",
        params: Target,
        body: Beat,
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      const { id, stage } = request.params;
      await readableRun(request, id, runs, context);
      const { attempt, details } = request.body;
      await runs.heartbeat(id, stage, { attempt, ...(details === undefined ? {} : { details }) });
      return reply.code(204).send();
    },
  );
}
