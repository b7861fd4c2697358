/** The options of a call, as the builder of sagas and the one of batches take them. */
import type { RetryPolicy } from "../../model.js";
import { durationText } from "../../spec/quantity.js";
import type { CallModel, CompensationModel, MapModel } from "../../task-model.js";
import { code, json, type Source } from "../entity/source.js";

export type Entry = readonly [key: string, value: Source];

export function callEntries(call: CallModel): Entry[] {
  return [
    ["service", json(call.service)],
    ["endpoint", json(call.endpoint)],
    ...(call.input === null ? [] : [["input", json(call.input)] satisfies Entry]),
    ...(call.method === "POST" ? [] : [["method", json(call.method)] satisfies Entry]),
    ["timeout", code(duration(call.timeoutMs))],
    ...retryEntry(call),
    ...(call.refusals.length === 0 ? [] : [["refusals", json(call.refusals)] satisfies Entry]),
    ...(call.compensation === null ? [] : [["compensate", compensation(call.compensation)] satisfies Entry]),
  ];
}

export const mapEntries = ({ over, concurrency, maxItems }: MapModel): Entry[] => [
  ["over", json(over)],
  ["concurrency", json(concurrency)],
  ["maxItems", json(maxItems)],
];

export const textEntry = (key: string, text: string | null): Entry[] => (text === null ? [] : [[key, json(text)]]);

function compensation(model: CompensationModel): Source {
  const entries: Entry[] = [
    ["service", json(model.service)],
    ["endpoint", json(model.action)],
    ["timeout", code(duration(model.timeoutMs))],
    ...retryEntry(model),
  ];
  return { entries };
}

export function retryEntry({
  retry,
  retryWritten,
}: {
  readonly retry: RetryPolicy;
  readonly retryWritten: boolean;
}): Entry[] {
  if (!retryWritten) return [];
  const entries: Entry[] = [
    ["maxAttempts", json(retry.maxAttempts)],
    ["backoff", json(retry.backoff)],
    ["initialDelay", code(duration(retry.initialDelayMs))],
    ["maxDelay", code(duration(retry.maxDelayMs))],
    ["jitter", json(retry.jitter)],
    ...(retry.nonRetryable.length === 0 ? [] : [["nonRetryable", json(retry.nonRetryable)] satisfies Entry]),
  ];
  return [["retry", { entries }]];
}

/** With its unit, as builders take it. */
export function duration(ms: number): string {
  const text = durationText(ms);
  return JSON.stringify(typeof text === "number" ? `${text}s` : text);
}
