/** A workflow task as typed builder code: what the config says, resolved, so that the graph can be read in one place. */

import type { CompensationModel, MapModel, RetryPolicy, SagaModel, StageModel, WaveModel } from "../../model.js";
import { durationText } from "../../spec/quantity.js";
import { code, HEADER, json, print, type Source } from "../entity/source.js";

/** The exported constant; the suffix keeps it apart from every import. */
export const sagaConstant = (saga: Pick<SagaModel, "name">): string => `${saga.name.camel}Saga`;

export function sagaFile(saga: SagaModel): string {
  const options = [
    // Else the settings' holds, which an operator may change without new code.
    ...(saga.timeoutWritten ? [`timeout: ${duration(saga.timeoutMs)}`] : []),
    ...(saga.startTimeoutMs === null ? [] : [`startTimeout: ${duration(saga.startTimeoutMs)}`]),
  ];
  return `${HEADER}import { type JsonObject, saga } from "@clean-arch/runtime";

export const ${sagaConstant(saga)} = saga<JsonObject>(${[JSON.stringify(saga.name.raw), ...optionsText(options)].join(", ")})
${saga.waves.map(waveText).join("")}  .build();
`;
}

const optionsText = (options: readonly string[]): string[] =>
  options.length === 0 ? [] : [`{ ${options.join(", ")} }`];

function waveText(wave: WaveModel): string {
  const steps = wave.parallel ? parallelText(wave.stages) : wave.stages.map((stage) => stepText(stage, 2)).join("");
  return `${steps}${wave.pivot ? "  .pivot()\n" : ""}`;
}

function parallelText(stages: readonly StageModel[]): string {
  const steps = stages.map((stage) => stepText(stage, 6)).join("");
  return `  .parallel((group) =>\n    group\n${steps.replace(/\n$/, ",\n")}  )\n`;
}

function stepText(stage: StageModel, indent: number): string {
  const { when, input, map } = stage;
  const entries: [string, Source][] = [
    ...(when === null ? [] : [["when", json(when)] satisfies [string, Source]]),
    ...(map === null ? [] : mapEntries(map)),
    ["service", json(stage.service)],
    ["endpoint", json(stage.endpoint)],
    ...(input === null ? [] : [["input", json(input)] satisfies [string, Source]]),
    ...(stage.method === "POST" ? [] : [["method", json(stage.method)] satisfies [string, Source]]),
    ["timeout", code(duration(stage.timeoutMs))],
    ...retryEntry(stage),
    ...(stage.refusals.length === 0 ? [] : [["refusals", json(stage.refusals)] satisfies [string, Source]]),
    ...(stage.compensation === null
      ? []
      : [["compensate", compensation(stage.compensation)] satisfies [string, Source]]),
  ];
  const margin = " ".repeat(indent);
  return `${margin}${print({ entries, open: true }, `.${map === null ? "step" : "map"}(${JSON.stringify(stage.name.raw)}, `, ")", indent)}\n`;
}

function mapEntries({ over, concurrency, maxItems }: MapModel): [string, Source][] {
  return [
    ["over", json(over)],
    ["concurrency", json(concurrency)],
    ["maxItems", json(maxItems)],
  ];
}

function compensation(model: CompensationModel): Source {
  const entries: [string, Source][] = [
    ["service", json(model.service)],
    ["endpoint", json(model.action)],
    ["timeout", code(duration(model.timeoutMs))],
    ...retryEntry(model),
  ];
  return { entries };
}

function retryEntry({
  retry,
  retryWritten,
}: {
  readonly retry: RetryPolicy;
  readonly retryWritten: boolean;
}): [string, Source][] {
  if (!retryWritten) return [];
  const entries: [string, Source][] = [
    ["maxAttempts", json(retry.maxAttempts)],
    ["backoff", json(retry.backoff)],
    ["initialDelay", code(duration(retry.initialDelayMs))],
    ["maxDelay", code(duration(retry.maxDelayMs))],
    ["jitter", json(retry.jitter)],
    ...(retry.nonRetryable.length === 0 ? [] : [["nonRetryable", json(retry.nonRetryable)] satisfies [string, Source]]),
  ];
  return [["retry", { entries }]];
}

/** With its unit, as the builder takes it. */
function duration(ms: number): string {
  const text = durationText(ms);
  return JSON.stringify(typeof text === "number" ? `${text}s` : text);
}
