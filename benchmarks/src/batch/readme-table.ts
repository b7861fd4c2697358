import { ratioRows } from "../ratios.js";
import type { Spread } from "../statistics.js";
import { figure, markdown } from "../text-table.js";
import type { BatchResult, ContenderResult } from "./result.js";
import { TARGETS } from "./targets.js";

const COLUMNS: readonly (readonly [title: string, figure: (of: ContenderResult) => Spread | null, unit: string])[] = [
  ["items/s", ({ itemsPerS }) => itemsPerS, ""],
  ["memory at most", ({ peakMb }) => peakMb, " MB"],
  ["start to end of a run", ({ startAloneMs }) => startAloneMs, " ms"],
  ["beside 100,000 sleepers", ({ startBesideMs }) => startBesideMs, " ms"],
  ["10,000 awake", ({ wakeS }) => wakeS, " s"],
];

/** The tables of the README, in Markdown. */
export function batchTables({ machine, rounds, date, contenders, ratios }: BatchResult): string {
  return [
    `Items of work that does nothing, and workflows that sleep; medians of ${rounds} rounds, ${date}, ${machine.cores} cores shared by`,
    `all (${machine.cpu}), PostgreSQL ${machine.versions.PostgreSQL} with fsync, Redis ${machine.versions.Redis} that persists nothing.`,
    "",
    markdown([["", ...COLUMNS.map(([title]) => title)], ...contenders.map(row)]),
    "",
    markdown([["ratio", "measured", "to reach", ""], ...ratioRows(TARGETS, ratios, (name) => `\`${name}\``)]),
  ].join("\n");
}

function row(contender: ContenderResult): string[] {
  const cells = COLUMNS.map(([, of, unit]) => {
    const spread = of(contender);
    return spread === null ? "" : `${figure(spread.median)}${unit}`;
  });
  return [contender.title, ...cells];
}
