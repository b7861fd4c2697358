import { createHash } from "node:crypto";
import { RuntimeError } from "../../errors.js";
import { canonicalJson, isObject, type Json } from "../../json.js";
import type { Participant } from "../../participants/participant.js";
import type { ServiceCall, StepCall } from "../../saga/definition.js";
import type { ItemSource, SourceScope } from "../item-source.js";
import { keyOf } from "./item-key.js";

export interface PagedSourceOptions {
  readonly participant: Participant;
  readonly call: ServiceCall;
  /** The field that is an item's key. */
  readonly key: string;
  readonly scope: SourceScope;
}

const STAGE = "source";
const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Pages of a service. It is asked with `{cursor, limit, input}` and answers `{items, next_cursor, total?}`: no cursor asks for the first page, and
 * no `next_cursor` says that there are no more. A chunk is a page, asked for again by its cursor when it is worked: a cursor stays good, and
 * finds no fewer items, until the batch has ended. Anything else that it answers is a failure of the source.
 */
export function pagedSource({ participant, call, key, scope }: PagedSourceOptions): ItemSource {
  const where = `${call.service} ${call.endpoint}`;
  /** As the last page said. */
  let total: number | null = null;
  return {
    description: where,
    count: () => total,
    async read({ after, limit, input, signal }) {
      const body = { cursor: after, limit, input };
      const outcome = await participant.perform(call, requestOf(participant, scope, body, signal));
      if (outcome.kind !== "completed")
        throw new RuntimeError("source-invalid", `expected a page of ${where}, got: ${outcome.error.message}`);
      const { output } = outcome;
      if (!isObject(output) || !Array.isArray(output.items)) {
        const got = JSON.stringify(output).slice(0, 100);
        throw new RuntimeError("source-invalid", `expected {items, next_cursor} of ${where}, got ${got}`);
      }
      if (typeof output.total === "number" && output.total >= 0) total = Math.floor(output.total);
      const items = output.items.map((item: Json) => ({ key: keyOf(item, key, ""), item }));
      return { items, next: output.next_cursor ?? null };
    },
  };
}

/** As a stage is called. The same page has the same key, so that a barrier on the way answers it as before. */
function requestOf(participant: Participant, { runId }: SourceScope, input: Json, signal: AbortSignal): StepCall {
  const page = createHash("sha256").update(canonicalJson(input)).digest("hex").slice(0, 16);
  return {
    ...{ runId, stage: STAGE, input, isMapped: true, runInput: input, outputs: {}, attempt: 1, fence: 1, signal },
    idempotencyKey: `${runId}:${STAGE}:${page}`,
    timeoutMs: participant.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    context: { get: () => ({}), patch: () => {}, checkpoint: () => Promise.resolve() },
    transaction: () =>
      Promise.reject(new RuntimeError("feature-unavailable", "expected no transaction where a source is read, got one")),
  };
}
