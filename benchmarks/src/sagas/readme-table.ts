import { ratioRows } from "../ratios.js";
import { figure, markdown } from "../text-table.js";
import type { ContenderResult, SagaResult } from "./result.js";
import type { ScenarioName } from "./scenarios.js";
import { TARGETS } from "./targets.js";

const COLUMNS: readonly (readonly [ScenarioName, "steps" | "p50", string])[] = [
  ["five-1", "p50", "p50 of one saga alone"],
  ["five-1", "steps", "steps/s, 1 in flight"],
  ["five-100", "steps", "100 in flight"],
  ["five-500", "steps", "500 in flight"],
  ["undo", "steps", "fails and is undone, 100"],
];

/** The tables of the README, in Markdown. */
export function sagaTables({ machine, rounds, date, contenders, ratios }: SagaResult): string {
  const sagas = contenders.filter(({ name }) => name !== "floor");
  const header = ["", ...COLUMNS.map(([, , title]) => title), "durable"];
  return [
    `Sagas of five steps; medians of ${rounds} rounds, ${date}, ${machine.cores} cores shared by client and server (${machine.cpu}),`,
    `PostgreSQL ${machine.versions.PostgreSQL} with fsync.`,
    "",
    markdown([
      header,
      ...sagas.map((contender) => [
        contender.title,
        ...COLUMNS.map((column) => cell(contender, column)),
        durable(contender),
      ]),
    ]),
    "",
    markdown([["ratio", "measured", "to reach", ""], ...ratioRows(TARGETS, ratios, (name) => `\`${name}\``)]),
  ].join("\n");
}

function cell({ scenarios }: ContenderResult, [name, kind]: (typeof COLUMNS)[number]): string {
  const scenario = scenarios.find((one) => one.name === name);
  if (scenario === undefined) return "";
  return kind === "p50" ? `${figure(scenario.p50Ms.median)} ms` : figure(scenario.stepsPerSecond.median);
}

function durable({ durability }: ContenderResult): string {
  return durability.startsWith("none") ? "no" : "yes";
}
