import { machineLines, ratioLines } from "../report.js";
import { aligned, figure, range } from "../text-table.js";
import type { ContenderResult, ScenarioResult, SessionResult } from "./result.js";
import { SCENARIOS } from "./scenarios.js";
import { TARGETS } from "./targets.js";

const COLUMNS = [
  ...["requests/s", "(min-max)", "p50 ms", "(min-max)", "p99 ms", "CPU us", "Redis", "load"],
  ...["bytes to Redis", "from it", "commands", "round trips"],
];

/** The readable part of the bench's output. CPU, bytes, commands and round trips are per request. */
export function sessionReport(result: SessionResult): string {
  const { machine, contenders } = result;
  const tables = SCENARIOS.flatMap(({ name, title, connections }) => {
    const rows = contenders.flatMap((contender) =>
      contender.scenarios.filter((scenario) => scenario.name === name).map((scenario) => row(contender, scenario)),
    );
    const heading = `${title}; ${connections} connections`;
    return rows.length === 0 ? [] : [`\n${heading}\n${aligned([["", ...COLUMNS, ""], ...rows])}`];
  });
  const notes = contenders.flatMap(({ title, scenarios }) =>
    scenarios.flatMap((scenario) => scenario.notes.map((note) => `  ${title}, ${scenario.name}: ${note}`)),
  );
  return [
    ...machineLines(result),
    `  Redis: ${machine.redisSettings}`,
    `  "1 ms further away" adds ${machine.addedRoundTripMs} ms to a round trip that is alone`,
    ...contenders.map(({ title, node, settings }) => `  ${title} (Node ${node}): ${settings}`),
    ...tables,
    ...(notes.length === 0 ? [] : ["\nnotes", ...notes]),
    ...ratioLines(TARGETS, result),
  ].join("\n");
}

function row({ title }: ContenderResult, result: ScenarioResult): string[] {
  const { requestsPerSecond, p50Ms, p99Ms, cpuUs, redisCpuUs, loadCpuUs, redisBytesIn, redisBytesOut } = result;
  const { commands, roundTrips, commandNames } = result;
  return [
    ...[title, figure(requestsPerSecond.median), range(requestsPerSecond), figure(p50Ms.median), range(p50Ms)],
    ...[p99Ms, cpuUs, redisCpuUs, loadCpuUs, redisBytesIn, redisBytesOut].map(({ median }) => figure(median)),
    ...[commands, roundTrips].map((spread) => (spread === null ? "-" : figure(spread.median))),
    Object.entries(commandNames)
      .map(([name, times]) => `${name} ${figure(times)}`)
      .join(", "),
  ];
}
