import { figure, TARGETS } from "./report.js";
import type { BenchResult, ContenderResult, RatioName } from "./result.js";
import type { ScenarioName } from "./scenarios.js";

/** Between these two lines of a README stands what the committed result gives, and nothing where there is no result. */
export const BEGIN = "<!-- benchmarks: npm run bench -- table -->";
export const END = "<!-- /benchmarks -->";

const COLUMNS: readonly (readonly [ScenarioName, "steps" | "p50", string])[] = [
  ["five-1", "p50", "p50 of one saga alone"],
  ["five-1", "steps", "steps/s, 1 in flight"],
  ["five-100", "steps", "100 in flight"],
  ["five-500", "steps", "500 in flight"],
  ["undo", "steps", "fails and is undone, 100"],
];

/** The tables of the README, in Markdown. */
function readmeTables({ machine, rounds, date, contenders, ratios }: BenchResult): string {
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
    markdown([
      ["ratio", "measured", "to reach", ""],
      ...Object.entries(TARGETS).map(([name, { text, at, least }]) => [
        ...[`\`${name}\``, ratioText(ratios, name), `${least ? "at least" : "at most"} ${at}`, text],
      ]),
    ]),
  ].join("\n");
}

/** The README with the tables of the result (null: none) between its two marks. Throws when it has no marks. */
export function withTables(readme: string, result: BenchResult | null): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`expected the lines ${BEGIN} and ${END}, got a README without them`);
  const tables = result === null ? "" : `${readmeTables(result)}\n`;
  return `${readme.slice(0, begin)}${BEGIN}\n${tables}${readme.slice(end)}`;
}

function cell({ scenarios }: ContenderResult, [name, kind]: (typeof COLUMNS)[number]): string {
  const scenario = scenarios.find((one) => one.name === name);
  if (scenario === undefined) return "";
  return kind === "p50" ? `${figure(scenario.p50Ms.median)} ms` : figure(scenario.stepsPerSecond.median);
}

function durable({ durability }: ContenderResult): string {
  return durability.startsWith("none") ? "no" : "yes";
}

function ratioText(ratios: Readonly<Record<RatioName, number | null>>, name: string): string {
  const value = Object.entries(ratios).find(([key]) => key === name)?.[1] ?? null;
  return value === null ? "not measured" : `${value}`;
}

function markdown([header = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(header), `|${header.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}
