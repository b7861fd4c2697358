/** A batch task, as its config has it. */

import type { BatchModel, CompensationModel, JsonValue, StageModel } from "../../model.js";
import { durationText } from "../../spec/quantity.js";
import { HEADER, json, print } from "../entity/source.js";

export const batchConstant = (batch: Pick<BatchModel, "name">): string => `${batch.name.camel}Batch`;

export function batchFile(batch: BatchModel): string {
  const task = json(taskOf(batch));
  const options = "entries" in task ? { ...task, open: true } : task;
  return `${HEADER}import { batchFromConfig } from "@clean-arch/runtime";

${print(options, `export const ${batchConstant(batch)} = batchFromConfig(`, ");")}
`;
}

function taskOf({ name, timeoutMs, source, chunkSize, concurrency, maxFailures, waves }: BatchModel): JsonValue {
  const compensations = waves.flatMap(({ stages }) =>
    stages.flatMap(({ compensation }) => (compensation === null ? [] : [compensation])),
  );
  return {
    name: name.raw,
    timeout: durationText(timeoutMs),
    source: sourceOf(source),
    chunk_size: chunkSize,
    concurrency,
    max_failures: maxFailures,
    stages: waves.map(({ stages, parallel }) => {
      const [only, ...others] = stages.map(stageOf);
      return parallel || only === undefined || others.length > 0 ? { parallel: stages.map(stageOf) } : only;
    }),
    ...(compensations.length === 0 ? {} : { compensation: compensations.map(compensationOf) }),
  };
}

function sourceOf(source: BatchModel["source"]): JsonValue {
  switch (source.kind) {
    case "entity":
      return { entity: source.entity.raw, where: source.where };
    case "service":
      return { service: source.service, endpoint: source.endpoint };
    case "items":
      return { items: source.items };
  }
}

function stageOf(model: StageModel): JsonValue {
  const { name, service, endpoint, method, timeoutMs, refusals, when, input, map, ...stage } = model;
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
    ...(map === null ? {} : { map: map.over, concurrency: map.concurrency, max_items: map.maxItems }),
  };
}

function compensationOf({ stage, service, action, timeoutMs, ...rest }: CompensationModel): JsonValue {
  return { stage, action, service, timeout: durationText(timeoutMs), ...retryOf(rest) };
}

function retryOf({ retry, retryWritten }: Pick<StageModel, "retry" | "retryWritten">): { retry?: JsonValue } {
  if (!retryWritten) return {};
  const { maxAttempts, backoff, initialDelayMs, maxDelayMs, jitter, nonRetryable } = retry;
  const [initial_delay, max_delay] = [durationText(initialDelayMs), durationText(maxDelayMs)];
  const non_retryable = nonRetryable.length === 0 ? {} : { non_retryable: nonRetryable };
  return { retry: { max_attempts: maxAttempts, backoff, initial_delay, max_delay, jitter, ...non_retryable } };
}
