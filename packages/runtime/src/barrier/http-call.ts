import { RuntimeError } from "../errors.js";
import type { BarrierCall } from "./barrier.js";

/** A call as it came over HTTP. */
export interface HttpCall extends BarrierCall {
  /** `X-Step`: name of the step; empty when it was not sent. */
  readonly step: string;
  /** `X-Attempt`, from 1 on; 1 when it was not sent. */
  readonly attempt: number;
}

export type HttpHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Reads a step's call from its headers. Error: `input-invalid` naming the header. */
export function readStep(headers: HttpHeaders): HttpCall {
  const text = (name: string): string => {
    const value = headers[name.toLowerCase()];
    return typeof value === "string" ? value : "";
  };
  const required = (name: string): string => {
    const value = text(name);
    if (value === "") throw invalid(`expected the header ${name}, got none; send what a participant is sent`);
    return value;
  };
  const fence = required("X-Run-Fence");
  if (!/^\d{1,15}$/.test(fence))
    throw invalid(`expected X-Run-Fence to be a whole number, got "${fence.slice(0, 40)}"`);
  const call = { idempotencyKey: required("Idempotency-Key"), runId: required("X-Run-Id"), fence: Number(fence) };
  return { ...call, step: text("X-Step"), attempt: Number(text("X-Attempt")) || 1 };
}

/** The same for a compensation, whose body says what is to be undone. */
export function readCompensation(headers: HttpHeaders, body: unknown): HttpCall {
  const { forward_key: forwardKey, outcome } = (body ?? {}) as { forward_key?: unknown; outcome?: unknown };
  if (typeof forwardKey !== "string" || forwardKey === "")
    throw invalid(
      "expected a JSON body with forward_key, got none; parse bodies before this route (Express: express.json())",
    );
  return { ...readStep(headers), forwardKey, outcome: outcome === "completed" ? "completed" : "unknown" };
}

function invalid(message: string): RuntimeError {
  return new RuntimeError("input-invalid", message);
}
