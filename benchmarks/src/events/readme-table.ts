import { ratioRows } from "../ratios.js";
import { figure, markdown } from "../text-table.js";
import type { ContenderResult, EventResult, ScenarioResult } from "./result.js";
import type { ScenarioName } from "./scenarios.js";
import { TARGETS } from "./targets.js";

const COLUMNS: readonly (readonly [ScenarioName, title: string, cell: (of: ScenarioResult) => string])[] = [
  ["event-100", "events/s, 100 in flight", perSecond],
  ["event-idle", "commit to handler, idle: p50", ({ p50Ms }) => `${figure(p50Ms.median)} ms`],
  ["event-idle", "p99", ({ p99Ms }) => `${figure(p99Ms.median)} ms`],
  ["saga-100", "sagas/s, 100 in flight", perSecond],
  ["saga-1", "p50 of one saga alone", ({ p50Ms }) => `${figure(p50Ms.median)} ms`],
];

/** The tables of the README, in Markdown. */
export function eventTables({ machine, rounds, date, contenders, ratios }: EventResult): string {
  return [
    `Events, and sagas of five stages in both styles; medians of ${rounds} rounds, ${date}, ${machine.cores} cores shared by all`,
    `(${machine.cpu}), PostgreSQL ${machine.versions.PostgreSQL} with fsync, NATS ${machine.versions.NATS} with streams in files.`,
    "",
    markdown([["", ...COLUMNS.map(([, title]) => title)], ...contenders.map(row)]),
    "",
    markdown([["ratio", "measured", "to reach", ""], ...ratioRows(TARGETS, ratios, (name) => `\`${name}\``)]),
  ].join("\n");
}

function row({ title, scenarios }: ContenderResult): string[] {
  const cells = COLUMNS.map(([name, , cell]) => {
    const scenario = scenarios.find((one) => one.name === name);
    return scenario === undefined ? "" : cell(scenario);
  });
  return [title, ...cells];
}

function perSecond({ perSecond }: ScenarioResult): string {
  return perSecond === null ? "" : figure(perSecond.median);
}
