import type { Json } from "../json.js";
import type { Barrier, BarrierRunOptions } from "./barrier.js";
import type { HttpAnswer } from "./http-answer.js";
import type { HttpCall, HttpHeaders } from "./http-call.js";
import { answerCompensation, answerStep, type HttpBarrierOptions } from "./http-route.js";

/** The least that is needed of a Fastify request. */
export interface FastifyRequestLike {
  readonly headers: HttpHeaders;
  readonly body: unknown;
}

/** The least that is needed of a Fastify reply. */
export interface FastifyReplyLike {
  code(status: number): unknown;
  headers(values: Record<string, string>): unknown;
  send(payload?: string): unknown;
}

export interface FastifyBarrier<Tx> {
  /**
   * The handler of a step's route. What `handler` returns is the answer; it says no by throwing `BusinessRefusal` (422) or
   * an error whose `statusCode` the protocol takes for a refusal. Its other errors are Fastify's to answer.
   */
  step<Request extends FastifyRequestLike>(
    handler: (tx: Tx, request: Request, call: HttpCall) => unknown,
  ): (request: Request, reply: FastifyReplyLike) => Promise<unknown>;
  /**
   * The handler of a compensation's route, answered with 204. `answered`: what the step had answered, undefined when no
   * such call is known here.
   */
  compensation<Request extends FastifyRequestLike>(
    handler: (tx: Tx, request: Request, call: HttpCall, answered: Json | undefined) => unknown,
    options?: BarrierRunOptions,
  ): (request: Request, reply: FastifyReplyLike) => Promise<unknown>;
}

/** Routes of a Fastify service behind a barrier: they read a call, perform it once, and answer it. */
export function fastifyBarrier<Tx>(barrier: Barrier<Tx>, options: HttpBarrierOptions = {}): FastifyBarrier<Tx> {
  return {
    step: (handler) => async (request, reply) =>
      send(reply, await answerStep(barrier, request, (tx, call) => handler(tx, request, call), options)),
    compensation:
      (handler, run = {}) =>
      async (request, reply) => {
        const undo = (tx: Tx, call: HttpCall, answered: Json | undefined): unknown =>
          handler(tx, request, call, answered);
        return send(reply, await answerCompensation(barrier, request, undo, run));
      },
  };
}

function send(reply: FastifyReplyLike, { status, headers, body }: HttpAnswer): unknown {
  reply.code(status);
  reply.headers({ ...headers });
  return reply.send(body);
}
