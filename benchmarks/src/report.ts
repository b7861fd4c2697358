import { CONTENDERS } from "./contenders.js";
import type { BenchResult, ContenderResult, RatioName, ScenarioResult } from "./result.js";
import { FLOORS, SAGAS } from "./scenarios.js";
import type { Spread } from "./statistics.js";

/** What each ratio has to reach, and which way is good. */
export const TARGETS: Readonly<
  Record<RatioName, { readonly text: string; readonly at: number; readonly least: boolean }>
> = {
  vs_dbos: { text: "steps/s against DBOS", at: 40, least: true },
  vs_openworkflow: { text: "steps/s against OpenWorkflow on PostgreSQL", at: 60, least: true },
  vs_restate: { text: "steps/s against Restate, one node", at: 15, least: true },
  vs_bullmq: { text: "steps/s against BullMQ on a Redis that persists nothing", at: 1.8, least: true },
  of_floor: {
    text: "steps/s against the recorded statements sent by a bare client, 500 in flight",
    at: 0.6,
    least: true,
  },
  latency_vs_six_commits: { text: "p50 of one saga alone against six single-row commits", at: 1.5, least: false },
  step_growth: { text: "step 901-1,000 of a run of 1,000 against step 1-100", at: 1.15, least: false },
  two_instances_vs_one: { text: "two instances on one database against one", at: 1, least: true },
  sqlite_vs_openworkflow: { text: "steps/s on SQLite against OpenWorkflow on SQLite", at: 40, least: true },
};

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

/** The readable part of a bench's output. */
export function reportText(result: BenchResult): string {
  const { machine, rounds, contenders, ratios } = result;
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
    `${machine.cores} cores of ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}; medians of ${rounds} rounds`,
    ...Object.entries(machine.versions).map(([name, version]) => `  ${name} ${version}`),
    `  PostgreSQL: ${machine.postgresDurability}`,
    ...contenders.map(({ title, node, durability }) => `  ${title} (Node ${node}): ${durability}`),
    ...tables,
    ...(notes.length === 0 ? [] : ["\nnotes", ...notes]),
    "\nratios",
    aligned(
      Object.entries(TARGETS).map(([name, { text, at, least }]) => [
        name,
        ratio(ratios, name),
        `${least ? "at least" : "at most"} ${at}`,
        text,
      ]),
    ),
    ...result.failures.map((failure) => `\nfailed: ${failure}`),
  ].join("\n");
}

function ratio(ratios: BenchResult["ratios"], name: string): string {
  const found = Object.entries(ratios).find(([key]) => key === name)?.[1];
  return found === undefined || found === null ? "not measured" : `${found}`;
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

function range({ min, max }: Spread): string {
  return `${figure(min)}-${figure(max)}`;
}

/** Three digits, and no more than there are. */
export function figure(value: number): string {
  const rounded = value === 0 ? 0 : Number(value.toPrecision(3));
  return rounded.toLocaleString("en-US", { maximumFractionDigits: 3 });
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (all, cells) => cells.map((cell, i) => Math.max(all[i] ?? 0, cell.length)).concat(all.slice(cells.length)),
    [],
  );
  return rows
    .map((cells) =>
      `  ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ")}`.trimEnd(),
    )
    .join("\n");
}

/** In the order of the table of contenders. */
export function inOrder(results: readonly ContenderResult[]): ContenderResult[] {
  return CONTENDERS.flatMap(({ name }) => results.filter((result) => result.name === name));
}
