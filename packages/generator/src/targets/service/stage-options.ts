/** The options of a call, as the builder of sagas and the one of batches take them. */
import type { RetryPolicy } from "../../model.js";
import { durationText } from "../../spec/quantity.js";
import type {
  CallModel,
  CompensationModel,
  MapModel,
  QueueModel,
  RateModel,
  SagaModel,
  ScheduleModel,
} from "../../task-model.js";
import { code, json, type Source } from "../entity/source.js";

export type Entry = readonly [key: string, value: Source];

export function callEntries(call: CallModel): Entry[] {
  return [
    ["service", json(call.service)],
    ["endpoint", json(call.endpoint)],
    ...(call.input === null ? [] : [["input", json(call.input)] satisfies Entry]),
    ...(call.method === "POST" ? [] : [["method", json(call.method)] satisfies Entry]),
    ["timeout", code(duration(call.timeoutMs))],
    ...(call.heartbeatMs === null ? [] : [["heartbeat", code(duration(call.heartbeatMs))] satisfies Entry]),
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

/** When a task's runs begin by themselves, and in which queue they begin. */
export function startEntries({ schedule, queue }: Pick<SagaModel, "schedule" | "queue">): Entry[] {
  return [
    ...(schedule === null ? [] : [["schedule", scheduleOf(schedule)] satisfies Entry]),
    ...(queue === null ? [] : [["queue", queueOf(queue)] satisfies Entry]),
  ];
}

const scheduleOf = ({ cron, timezone, overlap, catchUp, input }: ScheduleModel): Source => ({
  entries: [
    ["cron", json(cron)],
    ["timezone", json(timezone)],
    ["overlap", json(overlap)],
    ["catchUp", json(catchUp)],
    ...(input === null ? [] : [["input", json(input)] satisfies Entry]),
  ],
});

const queueOf = (queue: QueueModel): Source => ({
  entries: [
    ...textEntry("name", queue.name),
    ...numberEntry("priority", queue.priority),
    ...numberEntry("concurrency", queue.concurrency),
    ...numberEntry("concurrencyPerKey", queue.concurrencyPerKey),
    ...(queue.rateLimit === null ? [] : [["rateLimit", rateLimit(queue.rateLimit)] satisfies Entry]),
    ...textEntry("key", queue.key),
  ],
});

const numberEntry = (key: string, value: number | null): Entry[] => (value === null ? [] : [[key, json(value)]]);

export const rateLimit = ({ max, windowMs }: RateModel): Source => ({
  entries: [
    ["max", json(max)],
    ["window", code(duration(windowMs))],
  ],
});

/** With its unit, as builders take it. */
export function duration(ms: number): string {
  const text = durationText(ms);
  return JSON.stringify(typeof text === "number" ? `${text}s` : text);
}
