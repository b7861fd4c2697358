import { createHash } from "node:crypto";
import type { StepOutcome } from "../engine/step-outcome.js";
import { isObject, type Json, toJson } from "../json.js";
import type { Logger } from "../log.js";
import { silentLogger } from "../log.js";
import type { CompensationCall, RetryPolicy, ServiceCall, StepCall } from "../saga/definition.js";
import { classifyError, type ErrorAnswer, isMisconfiguration } from "./answer.js";
import type { Participant } from "./participant.js";

export interface HttpParticipantOptions {
  /** As stages name it; for logs and errors. */
  readonly name: string;
  /** http or https; endpoints are appended to its path. */
  readonly baseUrl: string;
  /** Of an attempt, unless its stage says otherwise. Default 30,000. */
  readonly timeoutMs?: number;
  /** What it says goes before the manager's `recovery`, and after the stage's own. Default: nothing. */
  readonly retry?: Partial<RetryPolicy>;
  /** Sent with every call; the protocol's own headers win over them. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default 1 MiB. A larger answer counts as "it ran, its output is unknown". */
  readonly maxResponseBytes?: number;
  /** Told about faults of configuration (3xx, 401, 403, 404, 405). Default: silent. */
  readonly logger?: Logger;
}

/**
 * A participant over HTTP. Redirects are not followed, so that a call never leaves the configured origin. Throws nothing:
 * what the service answers, or does not, becomes the outcome of the attempt (answer.ts).
 */
export function httpParticipant(options: HttpParticipantOptions): Participant {
  const { name, baseUrl, headers = {}, maxResponseBytes = 1_048_576, logger = silentLogger, ...defaults } = options;
  const base = baseUrl.replace(/\/+$/, "");

  async function call(request: Request, signal: AbortSignal): Promise<Answer | StepOutcome> {
    try {
      const response = await fetch(request, { signal, redirect: "manual" });
      return { response, text: await readBounded(response, maxResponseBytes) };
    } catch (error) {
      return connectionFailure(name, error);
    }
  }

  function request(target: ServiceCall, step: StepCall | CompensationCall, body: Json): Request {
    const method = target.method ?? "POST";
    const bodiless = method === "GET" || method === "HEAD";
    return new Request(`${base}${target.endpoint}`, {
      method,
      headers: { ...headers, ...protocolHeaders(step), ...(bodiless ? {} : { "content-type": "application/json" }) },
      body: bodiless ? null : JSON.stringify(body),
    });
  }

  function refuseOrFail(
    answer: Answer,
    refusals: readonly number[] | undefined,
    step: StepCall | CompensationCall,
  ): StepOutcome {
    const error = errorAnswer(answer);
    if (isMisconfiguration(error.status)) {
      const facts = { service: name, run: step.runId, step: step.stage, status: error.status };
      logger.error(
        facts,
        `expected ${name} to accept the call, got ${error.status}: check its url, token and endpoint`,
      );
    }
    return classifyError(error, refusals);
  }

  return {
    description: `http ${base}`,
    ...defaults,
    async perform(target, step) {
      const { input, outputs, isMapped, item, index } = step;
      const body = isMapped
        ? input
        : {
            run_id: step.runId,
            stage: step.stage,
            input,
            outputs,
            context: step.context.get(),
            ...itemOf(item, index),
          };
      const answer = await call(request(target, step, body), step.signal);
      if ("kind" in answer) return answer;
      if (!answer.response.ok) return refuseOrFail(answer, target.refusals, step);
      if (answer.response.status === 204) return { kind: "completed", output: null };
      return readOutput(name, answer);
    },
    async compensate(target, step) {
      const { input, outcome, output, reason } = step;
      const body = {
        run_id: step.runId,
        stage: step.stage,
        input,
        outcome,
        output,
        forward_key: step.forwardKey,
        reason,
        context: step.context.get(),
        ...itemOf(step.item, step.index),
      };
      const answer = await call(request(target, step, body), step.signal);
      if ("kind" in answer) return answer;
      return answer.response.ok ? { kind: "completed", output: null } : refuseOrFail(answer, undefined, step);
    },
  };
}

/** Of a stage that maps over a list. */
function itemOf(item: Json | undefined, index: number | undefined): { item?: Json; index?: number } {
  return index === undefined ? {} : { item: item ?? null, index };
}

interface Answer {
  readonly response: Response;
  /** Undefined: over the size bound. */
  readonly text: string | undefined;
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

/** Errors that occur before a byte of the request has left: the step certainly did not run. */
const NEVER_SENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

function connectionFailure(service: string, error: unknown): StepOutcome {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = String((cause as { code?: unknown })?.code ?? (cause as Error)?.name ?? "error");
  const message = `expected an answer of ${service}, got a connection error: ${code}`;
  return { kind: "failed", error: { code: "connection", message }, mayHaveRun: !NEVER_SENT.has(code), retry: true };
}

async function readBounded(response: Response, maxBytes: number): Promise<string | undefined> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the body.
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function readOutput(service: string, { response, text }: Answer): StepOutcome {
  const got =
    text === undefined ? "one over the size bound" : `"${response.headers.get("content-type") ?? "no content type"}"`;
  try {
    if (text !== undefined) return { kind: "completed", output: toJson(JSON.parse(text), `the answer of ${service}`) };
  } catch {
    // Falls through: it ran, its output cannot be known.
  }
  const error = {
    code: "output-unknown",
    message: `expected a JSON answer of ${service}, got ${got}`,
    status: response.status,
  };
  return { kind: "failed", error, mayHaveRun: true, retry: false };
}

function errorAnswer({ response, text }: Answer): ErrorAnswer {
  const retryAfterMs = parseRetryAfter(response.headers.get("retry-after"), response.headers.get("date"));
  const problem = parseProblem(text);
  return { status: response.status, ...problem, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

function parseProblem(text: string | undefined): { code?: string; message?: string } {
  try {
    const body = JSON.parse(text ?? "") as Json;
    if (!isObject(body)) return {};
    const sentence = body.detail ?? body.title ?? body.message;
    return {
      ...(typeof body.code === "string" && { code: body.code }),
      ...(typeof sentence === "string" && { message: sentence }),
    };
  } catch {
    return {};
  }
}

/** RFC 9110, 10.2.3: seconds, or a date, which is read against the server's own `Date`. */
export function parseRetryAfter(value: string | null, date: string | null): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const delayMs = Date.parse(value) - Date.parse(date ?? "");
  return Number.isFinite(delayMs) ? Math.max(0, delayMs) : undefined;
}
