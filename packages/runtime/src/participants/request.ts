import { createHash } from "node:crypto";
import type { Json } from "../json.js";
import type { CompensationCall, ServiceCall, StepCall } from "../saga/definition.js";

/** What a participant elsewhere is sent, whatever carries it. */
export interface ParticipantRequest {
  readonly method: string;
  readonly endpoint: string;
  /** The protocol's own, beside and above those that the service's settings add; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json;
}

type Headers = Readonly<Record<string, string>>;

export function stepRequest(target: ServiceCall, step: StepCall, headers: Headers): ParticipantRequest {
  const { input, outputs, isMapped } = step;
  const body = isMapped
    ? input
    : {
        ...{ run_id: step.runId, stage: step.stage, input, outputs, context: step.context.get() },
        ...itemOf(step),
      };
  return request(target, step, headers, body);
}

export function compensationRequest(target: ServiceCall, step: CompensationCall, headers: Headers): ParticipantRequest {
  const { input, outcome, output, reason } = step;
  const body = {
    ...{ run_id: step.runId, stage: step.stage, input, outcome, output, forward_key: step.forwardKey, reason },
    ...{ context: step.context.get(), ...itemOf(step) },
  };
  return request(target, step, headers, body);
}

function request(
  { method = "POST", endpoint }: ServiceCall,
  step: StepCall | CompensationCall,
  headers: Headers,
  body: Json,
): ParticipantRequest {
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return { method, endpoint, headers: { ...Object.fromEntries(named), ...protocolHeaders(step) }, body };
}

/** Of a stage that maps over a list, or of a batch. */
function itemOf({ item, index, key }: StepCall | CompensationCall): { item?: Json; index?: number; key?: string } {
  if (index !== undefined) return { item: item ?? null, index };
  return key === undefined ? {} : { item: item ?? null, key };
}

function protocolHeaders(step: StepCall | CompensationCall): Record<string, string> {
  const span = createHash("sha256").update(`${step.idempotencyKey}#${step.attempt}`).digest("hex").slice(0, 16);
  return {
    accept: "application/json",
    "idempotency-key": step.idempotencyKey,
    "x-run-id": step.runId,
    "x-run-fence": String(step.fence),
    "x-step": step.stage,
    "x-attempt": String(step.attempt),
    // W3C Trace Context: the run is the trace, an attempt is a span.
    traceparent: `00-${step.runId.replaceAll("-", "")}-${span}-01`,
  };
}
