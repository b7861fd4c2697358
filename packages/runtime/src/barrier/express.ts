import type { Json } from "../json.js";
import type { Barrier, BarrierRunOptions } from "./barrier.js";
import type { HttpAnswer } from "./http-answer.js";
import type { HttpCall, HttpHeaders } from "./http-call.js";
import { answerCompensation, answerStep, type HttpBarrierOptions } from "./http-route.js";

/** The least that is needed of an Express request. A compensation's body has to be parsed before: `express.json()`. */
export interface ExpressRequestLike {
  readonly headers: HttpHeaders;
  readonly body?: unknown;
}

/** The least that is needed of an Express response; Node's own will do. */
export interface ExpressResponseLike {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(text?: string): unknown;
}

type Route<Request> = (
  request: Request,
  response: ExpressResponseLike,
  next: (error: unknown) => void,
) => Promise<void>;

export interface ExpressBarrier<Tx> {
  /**
   * The handler of a step's route. What `handler` returns is the answer; it says no by throwing `BusinessRefusal` (422) or
   * an error whose `status` the protocol takes for a refusal. Its other errors go to `next`.
   */
  step<Request extends ExpressRequestLike>(
    handler: (tx: Tx, request: Request, call: HttpCall) => unknown,
  ): Route<Request>;
  /**
   * The handler of a compensation's route, answered with 204. `answered`: what the step had answered, undefined when no
   * such call is known here.
   */
  compensation<Request extends ExpressRequestLike>(
    handler: (tx: Tx, request: Request, call: HttpCall, answered: Json | undefined) => unknown,
    options?: BarrierRunOptions,
  ): Route<Request>;
}

/** Routes of an Express service (4 or 5) behind a barrier: they read a call, perform it once, and answer it. */
export function expressBarrier<Tx>(barrier: Barrier<Tx>, options: HttpBarrierOptions = {}): ExpressBarrier<Tx> {
  return {
    step: (handler) => async (request, response, next) => {
      await answerStep(barrier, request, (tx, call) => handler(tx, request, call), options).then(
        sendBy(response),
        next,
      );
    },
    compensation:
      (handler, run = {}) =>
      async (request, response, next) => {
        const undo = (tx: Tx, call: HttpCall, answered: Json | undefined): unknown =>
          handler(tx, request, call, answered);
        await answerCompensation(barrier, request, undo, run).then(sendBy(response), next);
      },
  };
}

function sendBy(response: ExpressResponseLike): (answer: HttpAnswer) => void {
  return ({ status, headers, body }) => {
    response.statusCode = status;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.end(body);
  };
}
