/** A batch task as typed builder code: what the config says, resolved. */
import type { JsonValue } from "../../model.js";
import type { BatchModel, BatchSource, CallModel } from "../../task-model.js";
import { code, HEADER, json, print, type Source } from "../entity/source.js";
import { callEntries, duration, type Entry, rateLimit, retryEntry, startEntries, textEntry } from "./stage-options.js";

export const batchConstant = (batch: Pick<BatchModel, "name">): string => `${batch.name.camel}Batch`;

export function batchFile(batch: BatchModel): string {
  const entries: Entry[] = [
    // Else the settings' holds, which an operator may change without new code.
    ...(batch.timeoutWritten ? [["timeout", code(duration(batch.timeoutMs))] satisfies Entry] : []),
    ...startEntries(batch),
    ["source", json(sourceOf(batch.source))],
    ["chunkSize", json(batch.chunkSize)],
    ["concurrency", json(batch.concurrency)],
    ["maxFailures", json(batch.maxFailures)],
    ...(batch.maxFailureRatio === null ? [] : [["maxFailureRatio", json(batch.maxFailureRatio)] satisfies Entry]),
    ...(batch.rateLimit === null ? [] : [["rateLimit", rateLimit(batch.rateLimit)] satisfies Entry]),
    ...retryEntry(batch),
    ["stages", { items: batch.stages.map(stageOf) }],
  ];
  return `${HEADER}import { batch } from "@clean-arch/runtime";

${print({ entries, open: true }, `export const ${batchConstant(batch)} = batch(${JSON.stringify(batch.name.raw)}, `, ");")}
`;
}

function sourceOf(source: BatchSource): JsonValue {
  if (source.kind === "entity") return { entity: source.entity.raw, where: source.where };
  const keyed = source.key === null ? {} : { key: source.key };
  if (source.kind === "service") return { service: source.service, endpoint: source.endpoint, ...keyed };
  if (source.kind === "file") return { file: source.path, format: source.format, ...keyed };
  return { items: source.items, ...keyed };
}

const stageOf = (stage: CallModel): Source => ({
  entries: [["name", json(stage.name.raw)], ...textEntry("when", stage.when), ...callEntries(stage)],
});
