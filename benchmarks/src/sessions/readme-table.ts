import { ratioRows } from "../ratios.js";
import { figure, markdown } from "../text-table.js";
import type { ContenderResult, SessionResult } from "./result.js";
import type { ScenarioName } from "./scenarios.js";
import { TARGETS } from "./targets.js";

const COLUMNS: readonly (readonly [ScenarioName, string])[] = [
  ["read-300", "reads, 0.3 kB"],
  ["read-2k", "2 kB"],
  ["read-16k", "16 kB"],
  ["write-2k", "a tenth writes, 2 kB"],
  ["read-2k-1ms", "reads, 2 kB, Redis 1 ms away"],
  ["anonymous", "no cookie"],
];

/** The tables of the README, in Markdown. */
export function sessionTables({ machine, rounds, date, contenders, ratios }: SessionResult): string {
  const header = ["", ...COLUMNS.map(([, title]) => title), "p50, 2 kB", "commands of a read"];
  return [
    `Sessions: requests/s of one process; medians of ${rounds} rounds, ${date}, ${machine.cores} cores shared by client, service and Redis`,
    `(${machine.cpu}), Redis ${machine.versions.Redis} without a file.`,
    "",
    markdown([header, ...contenders.map(row)]),
    "",
    markdown([["ratio", "measured", "to reach", ""], ...ratioRows(TARGETS, ratios, (name) => `\`${name}\``)]),
  ].join("\n");
}

function row({ title, scenarios }: ContenderResult): string[] {
  const of = (name: ScenarioName) => scenarios.find((one) => one.name === name);
  const speeds = COLUMNS.map(([name]) => of(name)?.requestsPerSecond.median);
  const read = of("read-2k");
  return [
    ...[title, ...speeds.map((speed) => (speed === undefined ? "" : figure(speed)))],
    read === undefined ? "" : `${figure(read.p50Ms.median)} ms`,
    Object.keys(read?.commandNames ?? {}).join(", "),
  ];
}
