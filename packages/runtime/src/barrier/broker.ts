import type { Json } from "../json.js";
import type { Barrier, BarrierRunOptions } from "./barrier.js";
import type { HttpAnswer } from "./http-answer.js";
import type { HttpCall, HttpHeaders } from "./http-call.js";
import { answerCompensation, answerStep, type HttpBarrierOptions } from "./http-route.js";

/** The least that is needed of a request that came over a broker. */
export interface BrokerRequestLike {
  readonly headers: HttpHeaders;
  readonly body: Json;
}

export interface BrokerBarrier<Tx> {
  /**
   * The route of a step. What `handler` returns is the answer; it says no by throwing `BusinessRefusal` (422) or an error whose
   * `statusCode` the protocol takes for a refusal. Its other errors are the server's to answer.
   */
  step(
    handler: (tx: Tx, request: BrokerRequestLike, call: HttpCall) => unknown,
  ): (request: BrokerRequestLike) => Promise<HttpAnswer>;
  /**
   * The route of a compensation, answered with 204. `answered`: what the step had answered, undefined when no such call is
   * known here.
   */
  compensation(
    handler: (tx: Tx, request: BrokerRequestLike, call: HttpCall, answered: Json | undefined) => unknown,
    options?: BarrierRunOptions,
  ): (request: BrokerRequestLike) => Promise<HttpAnswer>;
}

/** Routes of `createCallServer` behind a barrier: they read a call, perform it once, and answer it. */
export function brokerBarrier<Tx>(barrier: Barrier<Tx>, options: HttpBarrierOptions = {}): BrokerBarrier<Tx> {
  return {
    step: (handler) => (request) => answerStep(barrier, request, (tx, call) => handler(tx, request, call), options),
    compensation:
      (handler, run = {}) =>
      (request) =>
        answerCompensation(barrier, request, (tx, call, answered) => handler(tx, request, call, answered), run),
  };
}
