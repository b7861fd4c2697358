import { RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import type { Barrier, BarrierRunOptions } from "./barrier.js";
import { answerWith, type HttpAnswer, malformed, problemOf, refusing } from "./http-answer.js";
import { type HttpCall, type HttpHeaders, readCompensation, readStep } from "./http-call.js";
import { keyOf } from "./verdict.js";

export interface HttpBarrierOptions {
  /**
   * Statuses of a step's errors that are a refusal, and remembered, though they usually mean a fault of configuration (401,
   * 403, 404, 405): those that the stage lists under `refusals`. Default: none.
   */
  readonly refusals?: readonly number[];
}

/** A request, whichever framework it came by. */
interface HttpRequest {
  readonly headers: HttpHeaders;
  readonly body?: unknown;
}

/** What to answer to a step's request. Rejects with what is the framework's to answer: the handler's own faults. */
export function answerStep<Tx>(
  barrier: Barrier<Tx>,
  { headers }: HttpRequest,
  handler: (tx: Tx, call: HttpCall) => unknown,
  { refusals = [] }: HttpBarrierOptions,
): Promise<HttpAnswer> {
  return answer(
    () => readStep(headers),
    (call) => barrier.run(call, (tx) => refusing(() => handler(tx, call), refusals)),
  );
}

/** The same for a compensation. What its handler throws is not remembered. */
export function answerCompensation<Tx>(
  barrier: Barrier<Tx>,
  { headers, body }: HttpRequest,
  handler: (tx: Tx, call: HttpCall, answered: Json | undefined) => unknown,
  options: BarrierRunOptions,
): Promise<HttpAnswer> {
  return answer(
    () => readCompensation(headers, body),
    (call) => barrier.run(call, (tx, answered) => handler(tx, call, answered), options),
  );
}

async function answer(read: () => HttpCall, run: (call: HttpCall) => Promise<Json>): Promise<HttpAnswer> {
  let call: HttpCall;
  try {
    call = read();
    keyOf(call);
  } catch (error) {
    if (error instanceof RuntimeError) return malformed(error);
    throw error;
  }
  try {
    return answerWith(await run(call));
  } catch (error) {
    const problem = problemOf(error);
    if (problem !== undefined) return problem;
    throw error;
  }
}
