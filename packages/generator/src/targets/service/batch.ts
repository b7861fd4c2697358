/** A batch task: listed with the task as its config has it; this version cannot run it. */

import type { BatchModel, JsonValue, StageModel } from "../../model.js";
import { durationText } from "../../spec/quantity.js";
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

function taskOf({ timeoutMs, schedule, source, chunkSize, concurrency, maxFailures, waves }: BatchModel): JsonValue {
  return {
    timeout: durationText(timeoutMs),
    ...(schedule === null ? {} : { schedule: schedule.cron, timezone: schedule.timezone, overlap: schedule.overlap }),
    source: sourceOf(source),
    chunk_size: chunkSize,
    concurrency,
    max_failures: maxFailures,
    stages: waves.map(({ stages, parallel }) => {
      const [only, ...others] = stages.map(stageOf);
      return parallel || only === undefined || others.length > 0 ? { parallel: stages.map(stageOf) } : only;
    }),
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

function stageOf({ name, service, endpoint, timeoutMs }: StageModel): JsonValue {
  return { name: name.raw, service, endpoint, timeout: durationText(timeoutMs) };
}
