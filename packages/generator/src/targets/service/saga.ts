/** A workflow task as typed builder code: what the config says, resolved, so that the graph can be read in one place. */

import type { SagaModel, StageModel, WaveModel } from "../../task-model.js";
import { code, HEADER, json, print } from "../entity/source.js";
import { callEntries, duration, type Entry, mapEntries, startEntries, textEntry } from "./stage-options.js";

/** The exported constant; the suffix keeps it apart from every import. */
export const sagaConstant = (saga: Pick<SagaModel, "name">): string => `${saga.name.camel}Saga`;

export function sagaFile(saga: SagaModel): string {
  const entries: Entry[] = [
    // Else the settings' holds, which an operator may change without new code.
    ...(saga.timeoutWritten ? [["timeout", code(duration(saga.timeoutMs))] satisfies Entry] : []),
    ...(saga.startTimeoutMs === null ? [] : [["startTimeout", code(duration(saga.startTimeoutMs))] satisfies Entry]),
    ...startEntries(saga),
  ];
  const start = `export const ${sagaConstant(saga)} = saga<JsonObject>(${JSON.stringify(saga.name.raw)}`;
  return `${HEADER}import { type JsonObject, saga } from "@clean-arch/runtime";

${entries.length === 0 ? `${start})` : print({ entries }, `${start}, `, ")")}
${saga.waves.map(waveText).join("")}  .build();
`;
}

function waveText(wave: WaveModel): string {
  const steps = wave.parallel ? parallelText(wave.stages) : wave.stages.map((stage) => stepText(stage, 2)).join("");
  return `${steps}${wave.pivot ? "  .pivot()\n" : ""}`;
}

function parallelText(stages: readonly StageModel[]): string {
  const steps = stages.map((stage) => stepText(stage, 6)).join("");
  return `  .parallel((group) =>\n    group\n${steps.replace(/\n$/, ",\n")}  )\n`;
}

const METHODS = { sleep: "sleep", wait: "waitFor", child: "child" } as const;

function stepText(stage: StageModel, indent: number): string {
  const method = stage.kind !== "call" ? METHODS[stage.kind] : stage.map === null ? "step" : "map";
  const entries = [...textEntry("when", stage.when), ...entriesOf(stage)];
  const margin = " ".repeat(indent);
  return `${margin}${print({ entries, open: true }, `.${method}(${JSON.stringify(stage.name.raw)}, `, ")", indent)}\n`;
}

function entriesOf(stage: StageModel): Entry[] {
  switch (stage.kind) {
    case "sleep":
      return [["for", typeof stage.delay === "string" ? json(stage.delay.trim()) : code(duration(stage.delay))]];
    case "wait":
      return [
        ["signal", json(stage.signal)],
        ...(stage.timeoutMs === null ? [] : [["timeout", code(duration(stage.timeoutMs))] satisfies Entry]),
        ...(stage.onTimeout === "fail" ? [] : [["onTimeout", json(stage.onTimeout)] satisfies Entry]),
      ];
    case "child":
      return [
        ["saga", json(stage.saga)],
        ...(stage.input === null ? [] : [["input", json(stage.input)] satisfies Entry]),
      ];
    case "call":
      return [...(stage.map === null ? [] : mapEntries(stage.map)), ...callEntries(stage)];
  }
}
