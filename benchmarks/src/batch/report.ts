import { machineLines, ratioLines } from "../report.js";
import { aligned, figure, range } from "../text-table.js";
import type { BatchResult, ContenderResult } from "./result.js";
import { TARGETS } from "./targets.js";

const COLUMNS = ["items/s", "(min-max)", "MB at most", "start ms", "with sleepers", "awake in s", "CPU ms", "server's"];

/** The readable part of the bench's output. CPU is of the whole scenario. */
export function batchReport(result: BatchResult): string {
  const { machine, contenders, details } = result;
  const known = Object.entries(details).map(([name, value]) => [name, value === null ? "not measured" : `${value}`]);
  return [
    ...machineLines(result),
    `  PostgreSQL: ${machine.postgresDurability}`,
    `  Redis: ${machine.redisSettings}`,
    ...contenders.map(({ title, durability }) => `  ${title}: ${durability}`),
    `\n${aligned([["", ...COLUMNS], ...contenders.map(row)])}`,
    `\ndetails\n${aligned(known)}`,
    ...ratioLines(TARGETS, result),
  ].join("\n");
}

function row({ title, itemsPerS, peakMb, startAloneMs, startBesideMs, wakeS, cpuMs, serverCpuMs }: ContenderResult) {
  return [
    ...[title, itemsPerS === null ? "-" : figure(itemsPerS.median), itemsPerS === null ? "" : range(itemsPerS)],
    figure(peakMb.median),
    ...[startAloneMs, startBesideMs, wakeS].map((spread) => (spread === null ? "-" : figure(spread.median))),
    ...[cpuMs, serverCpuMs].map(({ median }) => figure(median)),
  ];
}
