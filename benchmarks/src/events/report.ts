import { machineLines, ratioLines } from "../report.js";
import { aligned, figure, range } from "../text-table.js";
import type { ContenderResult, EventResult, ScenarioResult } from "./result.js";
import { SCENARIOS } from "./scenarios.js";
import { TARGETS } from "./targets.js";

const COLUMNS = ["per second", "(min-max)", "p50 ms", "(min-max)", "p99 ms", "CPU us", "PostgreSQL", "NATS"];

/** The readable part of the bench's output. CPU is per event, or per saga. */
export function eventReport(result: EventResult): string {
  const { machine, contenders, details } = result;
  const tables = SCENARIOS.flatMap(({ name, title }) => {
    const rows = contenders.flatMap((contender) =>
      contender.scenarios.filter((scenario) => scenario.name === name).map((scenario) => row(contender, scenario)),
    );
    return rows.length === 0 ? [] : [`\n${title}\n${aligned([["", ...COLUMNS], ...rows])}`];
  });
  const known = Object.entries(details).map(([name, value]) => [name, value === null ? "not measured" : `${value}`]);
  return [
    ...machineLines(result),
    `  PostgreSQL: ${machine.postgresDurability}`,
    `  NATS: ${machine.natsDurability}`,
    ...contenders.map(({ title, durability }) => `  ${title}: ${durability}`),
    ...tables,
    `\ndetails\n${aligned(known)}`,
    ...ratioLines(TARGETS, result),
  ].join("\n");
}

function row({ title }: ContenderResult, result: ScenarioResult): string[] {
  const { perSecond, p50Ms, p99Ms, cpuUs, databaseCpuUs, brokerCpuUs } = result;
  return [
    ...[title, perSecond === null ? "-" : figure(perSecond.median), perSecond === null ? "" : range(perSecond)],
    ...[figure(p50Ms.median), range(p50Ms)],
    ...[p99Ms, cpuUs, databaseCpuUs, brokerCpuUs].map(({ median }) => figure(median)),
  ];
}
