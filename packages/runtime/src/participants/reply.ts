import type { StepOutcome } from "../engine/step-outcome.js";
import { isObject, type Json, toJson } from "../json.js";
import { classifyError, type ErrorAnswer } from "./answer.js";

/** What a participant elsewhere answered, whatever carried it. */
export interface ParticipantReply {
  readonly status: number;
  header(name: string): string | null;
  /** Undefined: none that could be carried. */
  readonly text: string | undefined;
}

/** Of a step that was answered with a 2xx. `service`: for errors. */
export function outputOf(service: string, reply: ParticipantReply): StepOutcome {
  const { status, text } = reply;
  if (status === 204) return { kind: "completed", output: null };
  const got =
    text === undefined ? "none within the size bound" : `"${reply.header("content-type") ?? "no content type"}"`;
  try {
    if (text !== undefined) return { kind: "completed", output: toJson(JSON.parse(text), `the answer of ${service}`) };
  } catch {
    // Falls through: it ran, its output cannot be known.
  }
  const error = { code: "output-unknown", message: `expected a JSON answer of ${service}, got ${got}`, status };
  return { kind: "failed", error, mayHaveRun: true, retry: false };
}

export function isOk({ status }: ParticipantReply): boolean {
  return status >= 200 && status < 300;
}

/** Of one with any other status. */
export function errorOf(reply: ParticipantReply, refusals: readonly number[] | undefined): StepOutcome {
  const retryAfterMs = parseRetryAfter(reply.header("retry-after"), reply.header("date"));
  const problem = parseProblem(reply.text);
  const answer: ErrorAnswer = {
    status: reply.status,
    ...problem,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
  return classifyError(answer, refusals);
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
