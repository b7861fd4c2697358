import type { BrokerCalls, CallResult } from "../calls/broker-calls.js";
import { requestSubject } from "../calls/call-message.js";
import type { StepOutcome } from "../engine/step-outcome.js";
import { RuntimeError } from "../errors.js";
import { type Logger, silentLogger } from "../log.js";
import type { RetryPolicy } from "../saga/definition.js";
import type { Participant } from "./participant.js";
import { remoteParticipant } from "./remote.js";

export interface BrokerParticipantOptions {
  /** As stages name it, and as the service calls itself in `createCallServer`. */
  readonly name: string;
  /** Shared by all participants behind one broker; whoever made them closes them. */
  readonly calls: BrokerCalls;
  /** Of an attempt, unless its stage says otherwise. Default 30,000. */
  readonly timeoutMs?: number;
  /** What it says goes before the manager's `recovery`, and after the stage's own. Default: nothing. */
  readonly retry?: Partial<RetryPolicy>;
  /** Sent with every call, and kept by the broker as long as it keeps messages. The protocol's own win over them. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Told about faults of configuration (401, 403, 404, 405). Default: silent. */
  readonly logger?: Logger;
}

/** A participant behind a broker: what HTTP carries, as messages (calls/call-message.ts). Error: `config-invalid` for the name. */
export function brokerParticipant(options: BrokerParticipantOptions): Participant {
  const { name, calls, headers = {}, logger = silentLogger, ...defaults } = options;
  const subject = requestSubject(name);
  return remoteParticipant({
    ...{ name, description: `${calls.broker} ${subject}`, ...defaults, headers, logger },
    async send({ method, endpoint, headers, body }, { timeoutMs, signal }) {
      const result = await calls.call({ service: name, method, endpoint, headers, body }, { timeoutMs, signal });
      if (result.kind === "unanswered") return outcomeOf(name, subject, timeoutMs, result);
      const { status, headers: answered, body: text } = result.reply;
      return { status, text, header: (name) => answered[name.toLowerCase()] ?? null };
    },
  });
}

type Unanswered = Extract<CallResult, { readonly kind: "unanswered" }>;

function outcomeOf(service: string, subject: string, timeoutMs: number, { isSent, error }: Unanswered): StepOutcome {
  if (error instanceof RuntimeError) {
    const { code, message, retry } = error;
    // A broker of other settings is put right by somebody, as a wrong url is.
    return failed(code, `${message}, to call ${service}`, isSent, retry || code === "broker-incompatible");
  }
  if (error === "aborted") return failed("timeout", `the call of ${service} was cut short`, isSent, true);
  const why = isSent
    ? `none of its instances listens on ${subject}, or one is still at it; see that it runs, on the same broker and stream`
    : "the broker did not take the request";
  return failed("timeout", `expected an answer of ${service} within ${timeoutMs} ms, got none: ${why}`, isSent, true);
}

function failed(code: string, message: string, mayHaveRun: boolean, retry: boolean): StepOutcome {
  return { kind: "failed", error: { code, message: message.slice(0, 500) }, mayHaveRun, retry };
}
