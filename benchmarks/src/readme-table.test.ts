import { expect, it } from "vitest";
import { BEGIN, END, withTables } from "./readme-table.js";
import { sagaTables } from "./sagas/readme-table.js";
import { ratiosOf, type SagaResult, scenarioResult } from "./sagas/result.js";

const figures = {
  ...{ stepsPerSecond: 21_234, p50Ms: 4.31, p99Ms: 9, cpuUs: 1, serverCpuUs: 1, bytes: 1, commits: 1 },
  ...{ growth: null, runs: 1, notes: [] },
};
const contenders: SagaResult["contenders"] = [
  {
    name: "bullmq",
    title: "BullMQ",
    node: "20",
    durability: "none: a cache",
    scenarios: [scenarioResult("five-100", [figures])],
  },
];
const result: SagaResult = {
  ...{ suite: "sagas", date: "2026-11-28", quick: false, rounds: 5, failures: [], contenders, ratios: ratiosOf([]) },
  machine: {
    cpu: "a CPU",
    cores: 2,
    memoryGiB: 24,
    system: "",
    postgresDurability: "",
    versions: { PostgreSQL: "15" },
  },
};
const readme = `# before\n\n${BEGIN}\nstale\n${END}\n\nafter\n`;

it("puts the tables of a result between the marks and leaves the rest alone", () => {
  const written = withTables(readme, [sagaTables(result)]);
  expect(written).toContain("| BullMQ |  |  | 21,200 |  |  | no |");
  expect(written).toContain("| `vs_dbos` | not measured | at least 40 |");
  expect(written).not.toContain("stale");
  expect([written.startsWith("# before\n\n"), written.endsWith(`${END}\n\nafter\n`)]).toEqual([true, true]);
  expect(withTables(written, [sagaTables(result)])).toBe(written);
});

it("leaves nothing between the marks without a result", () => {
  expect(withTables(readme, [])).toBe(`# before\n\n${BEGIN}\n${END}\n\nafter\n`);
});

it("refuses a README without the marks", () => {
  expect(() => withTables("# before\n", [])).toThrow(`expected the lines ${BEGIN}`);
});
