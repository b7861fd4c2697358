/** Starting sagas and tasks. The same idempotency key gives the same run, however often it is sent, unless the start says otherwise. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import Type, { type Static } from "typebox";
import { isEnded, type JsonObject as JsonInput, type Runs } from "../../application/ports/runs.js";
import type { Sessions } from "../../application/ports/sessions.js";
import type { HttpContext } from "./http-context.js";
import { idempotencyKeyOf } from "./idempotency-key.js";
import { Problem } from "./problem.js";
import { mayRead } from "./run-access.js";
import { presentRun, RunSchema } from "./run-view.js";
import { closed, JsonObject } from "./schemas.js";
import { waitForRun } from "./wait.js";

const Name = Type.Object({ name: Type.String({ minLength: 1, maxLength: 128 }) });
const WaitQuery = closed({
  wait: Type.Optional(Type.Number({ minimum: 0, maximum: 60, description: "Seconds to wait for the run's end." })),
});
const IfExists = Type.Union([Type.Literal("attach"), Type.Literal("reject"), Type.Literal("restart-if-failed")], {
  description:
    "What an Idempotency-Key does that has a run. attach (default): gives that run. reject: 409 run-exists. restart-if-failed: when that run failed, was compensated or cancelled, starts another one.",
});
const StartBody = closed({
  input: Type.Optional(JsonObject),
  if_exists: Type.Optional(IfExists),
  business_key: Type.Optional(
    Type.String({ minLength: 1, maxLength: 256, description: "A name of the caller's own to find the run by." }),
  ),
  attributes: Type.Optional(
    Type.Record(Type.String(), Type.String({ maxLength: 256 }), {
      maxProperties: 20,
      description: "What else to find it by.",
    }),
  ),
  priority: Type.Optional(
    Type.Integer({ minimum: -1_000_000, maximum: 1_000_000, description: "Operators only; else the task's." }),
  ),
  delay_ms: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 315_360_000_000, description: "Begins that much later." }),
  ),
  start_at: Type.Optional(
    Type.String({ format: "date-time", maxLength: 40, description: "Begins then: an ISO 8601 time with its zone." }),
  ),
  queue_key: Type.Optional(
    Type.String({ minLength: 1, maxLength: 256, description: "Whose runs share what its queue allows one key." }),
  ),
  debounce: Type.Optional(
    closed({
      key: Type.String({ minLength: 1, maxLength: 128 }),
      ms: Type.Integer({ minimum: 0, maximum: 315_360_000_000 }),
      max_ms: Type.Optional(Type.Integer({ minimum: 0, maximum: 315_360_000_000 })),
    }),
  ),
  session_id: Type.Optional(
    Type.String({ minLength: 1, maxLength: 128, description: "Operators only; else the caller's session." }),
  ),
});
const Accepted = Type.Object({ id: Type.String(), status: Type.String() });

type StartRequest = FastifyRequest<{
  Params: Static<typeof Name>;
  Querystring: Static<typeof WaitQuery>;
  Body: Static<typeof StartBody> & { input?: JsonInput };
}>;

interface Started {
  readonly runs: Runs;
  readonly sessions: Sessions;
}

export function sagaStartRoute(app: FastifyInstance, application: Started, context: HttpContext): void {
  startRoute(app, application, context, "saga");
}

export function taskStartRoute(app: FastifyInstance, application: Started, context: HttpContext): void {
  startRoute(app, application, context, "task");
}

function startRoute(
  app: FastifyInstance,
  { runs, sessions }: Started,
  context: HttpContext,
  kind: "saga" | "task",
): void {
  const { callers, stopping } = context;

  async function linkedSession(request: StartRequest): Promise<string | undefined> {
    const caller = await callers.requireCaller(request);
    const named = request.body.session_id;
    if (named === undefined) return caller?.session.id;
    callers.requireOperator(request);
    if ((await sessions.get(named)) === undefined) {
      throw new Problem(422, "validation-failed", "The request's body does not fit.", {
        errors: [{ path: "session_id", message: "no live session has this id" }],
      });
    }
    return named;
  }

  /** A key is shared by all callers of a definition; what its run holds is not. */
  async function refuseForeignRun(request: StartRequest, id: string, sessionId: string | undefined): Promise<void> {
    if (mayRead(request, await runs.get(id), sessionId, context)) return;
    throw new Problem(409, "idempotency-key-reused", "The key was used before by another caller; use a new one.");
  }

  /** Where and when the run begins. What is debounced is the caller's own, where callers have runs of their own. */
  function placingOf(request: StartRequest, sessionId: string | undefined): Parameters<Runs["start"]>[2] {
    const { priority, delay_ms: delayMs, start_at: startAt, queue_key: queueKey, debounce } = request.body;
    if (priority !== undefined) callers.requireOperator(request);
    const isOwn = context.settings.auth === "session" && !callers.isOperator(request);
    return {
      ...(priority === undefined ? {} : { priority }),
      ...(delayMs === undefined ? {} : { delayMs }),
      ...(startAt === undefined ? {} : { startAt: timeOf("start_at", startAt) }),
      ...(queueKey === undefined ? {} : { queueKey }),
      ...(debounce === undefined
        ? {}
        : {
            debounce: {
              key: isOwn ? `${sessionId}:${debounce.key}` : debounce.key,
              ms: debounce.ms,
              ...(debounce.max_ms === undefined ? {} : { maxMs: debounce.max_ms }),
            },
          }),
    };
  }

  async function start(request: StartRequest, reply: FastifyReply): Promise<object> {
    const sessionId = await linkedSession(request);
    const { name } = request.params;
    refuseOtherKinds(runs, name, kind);
    const idempotencyKey = idempotencyKeyOf(request.headers["idempotency-key"]);
    const { input = {}, if_exists: ifExists, business_key: businessKey, attributes } = request.body;
    const placing = placingOf(request, sessionId);
    const started = await runs.start(name, input, {
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(sessionId === undefined ? {} : { sessionId }),
      ...(ifExists === undefined ? {} : { ifExists }),
      ...(businessKey === undefined ? {} : { businessKey }),
      ...(attributes === undefined ? {} : { attributes }),
      ...placing,
    });
    if (started.replayed) await refuseForeignRun(request, started.id, sessionId);
    reply.header("location", `/api/v1/runs/${started.id}`);
    if (started.replayed) reply.header("idempotency-replayed", "true");
    const waitMs = (request.query.wait ?? 0) * 1_000;
    if (waitMs > 0) {
      const run = await waitForRun(runs, started.id, waitMs, stopping);
      if (run !== undefined && isEnded(run.status)) return presentRun(run);
    }
    reply.code(202);
    // A replay has the same body: the status is that of the acceptance, the current one is at `Location`.
    return { id: started.id, status: "pending" };
  }

  app.post(
    `/api/v1/${kind}s/:name`,
    {
      config: { answersLate: true },
      schema: {
        tags: ["runs"],
        summary: `Start a ${kind}`,
        params: Name,
        querystring: WaitQuery,
        headers: Type.Object({ "idempotency-key": Type.Optional(Type.String()) }),
        body: StartBody,
        response: { 200: RunSchema, 202: Accepted },
      },
    },
    async (request, reply) => reply.send(await start(request as StartRequest, reply)),
  );
}

function timeOf(path: string, text: string): number {
  const at = /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(at)) return at;
  throw new Problem(422, "validation-failed", "The request's body does not fit.", {
    errors: [{ path, message: "expected an ISO 8601 time with its zone" }],
  });
}

/** Sagas are tasks of type `workflow`; a batch is a task and no saga. */
function refuseOtherKinds(runs: Runs, name: string, kind: "saga" | "task"): void {
  const definition = runs.definitions().find((candidate) => candidate.name === name);
  if (definition === undefined || (kind === "saga" && definition.type !== "saga")) {
    throw new Problem(404, "definition-unknown", `No ${kind} of this service has that name.`);
  }
}
