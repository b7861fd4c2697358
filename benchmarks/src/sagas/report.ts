import { machineLines, ratioLines } from "../report.js";
import { aligned, figure, range } from "../text-table.js";
import type { ContenderResult, SagaResult, ScenarioResult } from "./result.js";
import { FLOORS, SAGAS } from "./scenarios.js";
import { TARGETS } from "./targets.js";

const COLUMNS = [
  "steps/s",
  "(min-max)",
  "p50 ms",
  "(min-max)",
  "p99 ms",
  "CPU us/step",
  "server",
  "bytes/step",
  "commits/step",
];

/** The readable part of the bench's output. */
export function sagaReport(result: SagaResult): string {
  const { machine, contenders } = result;
  const tables = [...SAGAS, ...FLOORS].flatMap(({ name, title }) => {
    const rows = contenders.flatMap((contender) =>
      contender.scenarios.filter((scenario) => scenario.name === name).map((scenario) => row(contender, scenario)),
    );
    return rows.length === 0 ? [] : [`\n${title}\n${aligned([["", ...COLUMNS], ...rows])}`];
  });
  const notes = contenders.flatMap(({ title, scenarios }) =>
    scenarios.flatMap((scenario) => scenario.notes.map((note) => `  ${title}, ${scenario.name}: ${note}`)),
  );
  return [
    ...machineLines(result),
    `  PostgreSQL: ${machine.postgresDurability}`,
    ...contenders.map(({ title, node, durability }) => `  ${title} (Node ${node}): ${durability}`),
    ...tables,
    ...(notes.length === 0 ? [] : ["\nnotes", ...notes]),
    ...ratioLines(TARGETS, result),
  ].join("\n");
}

function row({ title }: ContenderResult, result: ScenarioResult): string[] {
  const { stepsPerSecond, p50Ms, p99Ms, cpuUsPerStep, serverCpuUsPerStep, bytesPerStep, commitsPerStep, growth } =
    result;
  return [
    ...[title, figure(stepsPerSecond.median), range(stepsPerSecond), figure(p50Ms.median), range(p50Ms)],
    ...[
      figure(p99Ms.median),
      figure(cpuUsPerStep.median),
      figure(serverCpuUsPerStep.median),
      figure(bytesPerStep.median),
    ],
    commitsPerStep === null ? "-" : figure(commitsPerStep.median),
    ...(growth === null ? [] : [`step 901-1,000 / 1-100: ${figure(growth.median)} (${range(growth)})`]),
  ];
}
