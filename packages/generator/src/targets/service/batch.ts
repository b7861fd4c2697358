/** A batch task: listed with the task as its config has it; this version cannot run it. */

import type { JsonValue } from "../../model.js";
import { durationText } from "../../spec/quantity.js";
import type { BatchModel, CallModel, CompensationModel } from "../../task-model.js";
import { HEADER, json, print } from "../entity/source.js";

export const batchConstant = (batch: Pick<BatchModel, "name">): string => `${batch.name.camel}Batch`;

export function batchFile(batch: BatchModel): string {
  const name = JSON.stringify(batch.name.raw);
  const task = json(taskOf(batch));
  const options = "entries" in task ? { ...task, open: true } : task;
  return `${HEADER}import { batch } from "@clean-arch/runtime";

${print(options, `export const ${batchConstant(batch)} = batch(${name}, `, ");")}
`;
}

function taskOf(batch: BatchModel): JsonValue {
  const { timeoutMs, schedule, source, chunkSize, concurrency, maxFailures, stages } = batch;
  const compensations = stages.flatMap(({ compensation }) => (compensation === null ? [] : [compensation]));
  return {
    timeout: durationText(timeoutMs),
    ...(schedule === null
      ? {}
      : {
          schedule: schedule.cron,
          timezone: schedule.timezone,
          overlap: schedule.overlap,
          catch_up: schedule.catchUp,
        }),
    source: sourceOf(source),
    chunk_size: chunkSize,
    concurrency,
    max_failures: maxFailures,
    stages: stages.map(stageOf),
    ...(compensations.length === 0 ? {} : { compensation: compensations.map(compensationOf) }),
  };
}

function sourceOf(source: BatchModel["source"]): JsonValue {
  switch (source.kind) {
    case "entity":
      return { entity: source.entity.raw, where: source.where };
    case "service":
      return { service: source.service, endpoint: source.endpoint };
    case "file":
      return { file: source.path, format: source.format };
    case "items":
      return { items: source.items };
  }
}

function stageOf(model: CallModel): JsonValue {
  const { name, service, endpoint, method, timeoutMs, refusals, when, input, ...stage } = model;
  return {
    name: name.raw,
    service,
    endpoint,
    ...(method === "POST" ? {} : { method }),
    timeout: durationText(timeoutMs),
    ...retryOf(stage),
    ...(refusals.length === 0 ? {} : { refusals }),
    ...(when === null ? {} : { when }),
    ...(input === null ? {} : { input }),
  };
}

function compensationOf({ stage, service, action, timeoutMs, ...rest }: CompensationModel): JsonValue {
  return { stage, action, service, timeout: durationText(timeoutMs), ...retryOf(rest) };
}

function retryOf({ retry, retryWritten }: Pick<CallModel, "retry" | "retryWritten">): { retry?: JsonValue } {
  if (!retryWritten) return {};
  const { maxAttempts, backoff, initialDelayMs, maxDelayMs, jitter, nonRetryable } = retry;
  const [initial_delay, max_delay] = [durationText(initialDelayMs), durationText(maxDelayMs)];
  const non_retryable = nonRetryable.length === 0 ? {} : { non_retryable: nonRetryable };
  return { retry: { max_attempts: maxAttempts, backoff, initial_delay, max_delay, jitter, ...non_retryable } };
}
