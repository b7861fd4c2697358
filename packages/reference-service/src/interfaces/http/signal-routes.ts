/** Signals from outside to a run that waits for them, now or later. Who may read the run may signal it. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import Type, { type Static } from "typebox";
import type { Json, Runs } from "../../application/ports/runs.js";
import type { HttpContext } from "./http-context.js";
import { idempotencyKeyOf } from "./idempotency-key.js";
import { readableRun } from "./run-access.js";
import { presentRun, RunSchema } from "./run-view.js";
import { closed, Id } from "./schemas.js";

const Target = Type.Object({
  ...Id.properties,
  name: Type.String({ pattern: "^[A-Za-z][A-Za-z0-9_.-]{0,99}$", description: "What a step waits for." }),
});
const SignalBody = closed({ payload: Type.Optional(Type.Unknown({ description: "Any JSON; null by default." })) });

export function signalRoutes(app: FastifyInstance, { runs }: { readonly runs: Runs }, context: HttpContext): void {
  const { callers } = context;

  /** As the journal names who sent it. */
  async function clientOf(request: FastifyRequest): Promise<string> {
    const caller = await callers.session(request);
    return caller === undefined ? "client" : `session ${caller.session.id}`;
  }

  app.post<{ Params: Static<typeof Target>; Body: { payload?: Json } }>(
    "/api/v1/runs/:id/signals/:name",
    {
      schema: {
        tags: ["runs"],
        summary: "Signal a run; kept when it comes before the wait",
        params: Target,
        headers: Type.Object({ "idempotency-key": Type.Optional(Type.String()) }),
        body: SignalBody,
        response: { 202: RunSchema },
      },
    },
    async (request, reply) => {
      const { id, name } = request.params;
      await readableRun(request, id, runs, context);
      const idempotencyKey = idempotencyKeyOf(request.headers["idempotency-key"]);
      await runs.signal(id, name, request.body.payload ?? null, {
        actor: callers.isOperator(request) ? "operator" : await clientOf(request),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      });
      return reply.code(202).send(presentRun(await runs.get(id)));
    },
  );
}
