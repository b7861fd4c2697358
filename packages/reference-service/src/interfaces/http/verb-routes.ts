/** What operators ask of runs. Each wish names who asks and why, which the run's journal keeps. */
import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import type { Runs, RunVerb } from "../../application/ports/runs.js";
import { idempotencyKeyOf } from "./idempotency-key.js";
import { presentRun, RunSchema } from "./run-view.js";
import { closed, Id, operatorOnly } from "./schemas.js";

const VERBS: Readonly<Record<RunVerb, string>> = {
  cancel: "Undo a run, which then ends cancelled",
  pause: "Dispatch nothing more of a run until somebody resumes it",
  resume: "Let a stuck or paused run go on",
  retry: "Let a stuck or paused run go forward again",
  compensate: "Undo a run, which then ends compensated",
  skip: "Take what a stuck run is stuck at as not needed",
  abandon: "End a stuck or paused run as it is, failed",
};

export const asked = {
  reason: Type.String({ pattern: "\\S", maxLength: 500, description: "Kept in the journal." }),
  actor: Type.Optional(
    Type.String({ pattern: "\\S", maxLength: 200, description: "Who asks; kept in the journal. Default: operator." }),
  ),
};
export const Asked = closed(asked);
const AskedToRetry = closed({
  ...asked,
  step: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      description: "Undo everything from this step on first. Default: what stands is not done again.",
    }),
  ),
});

export function verbRoutes(app: FastifyInstance, { runs }: { readonly runs: Runs }): void {
  for (const [verb, summary] of Object.entries(VERBS) as [RunVerb, string][]) {
    app.post<{ Params: Static<typeof Id>; Body: Static<typeof AskedToRetry> }>(
      `/api/v1/runs/:id/${verb}`,
      {
        schema: {
          tags: ["runs"],
          summary,
          security: operatorOnly,
          params: Id,
          headers: Type.Object({ "idempotency-key": Type.Optional(Type.String()) }),
          body: verb === "retry" ? AskedToRetry : Asked,
          response: { 202: RunSchema },
        },
      },
      async (request, reply) => {
        const { reason, actor = "operator", step } = request.body;
        const idempotencyKey = idempotencyKeyOf(request.headers["idempotency-key"]);
        await runs.act(request.params.id, verb, {
          ...{ reason, actor },
          ...(step === undefined ? {} : { step }),
          ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
        });
        return reply.code(202).send(presentRun(await runs.get(request.params.id)));
      },
    );
  }
}
