import type { StepOutcome } from "../engine/step-outcome.js";
import type { Logger } from "../log.js";
import type { CompensationCall, RetryPolicy, StepCall } from "../saga/definition.js";
import { isMisconfiguration } from "./answer.js";
import type { Participant } from "./participant.js";
import { errorOf, isOk, outputOf, type ParticipantReply } from "./reply.js";
import { compensationRequest, type ParticipantRequest, stepRequest } from "./request.js";

export interface RemoteParticipantOptions {
  /** As stages name it; for logs and errors. */
  readonly name: string;
  readonly description: string;
  readonly timeoutMs?: number;
  readonly retry?: Partial<RetryPolicy>;
  readonly headers: Readonly<Record<string, string>>;
  readonly logger: Logger;
  /** Carries it there and its answer back; an outcome when there is none. */
  send(request: ParticipantRequest, step: StepCall | CompensationCall): Promise<ParticipantReply | StepOutcome>;
}

/**
 * A service elsewhere: what is sent and what an answer means, the same for all that carries both. Throws nothing: what the service answers,
 * or does not, becomes the outcome of the attempt (answer.ts).
 */
export function remoteParticipant(options: RemoteParticipantOptions): Participant {
  const { name, description, timeoutMs, retry, headers, logger, send } = options;

  function refuseOrFail(
    reply: ParticipantReply,
    refusals: readonly number[] | undefined,
    step: StepCall | CompensationCall,
  ): StepOutcome {
    const { status } = reply;
    if (isMisconfiguration(status)) {
      const facts = { service: name, run: step.runId, step: step.stage, status };
      logger.error(facts, `expected ${name} to accept the call, got ${status}: check its url, token and endpoint`);
    }
    return errorOf(reply, refusals);
  }

  return {
    description,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(retry !== undefined && { retry }),
    async perform(target, step) {
      const reply = await send(stepRequest(target, step, headers), step);
      if ("kind" in reply) return reply;
      return isOk(reply) ? outputOf(name, reply) : refuseOrFail(reply, target.refusals, step);
    },
    async compensate(target, step) {
      const reply = await send(compensationRequest(target, step, headers), step);
      if ("kind" in reply) return reply;
      return isOk(reply) ? { kind: "completed", output: null } : refuseOrFail(reply, undefined, step);
    },
  };
}
