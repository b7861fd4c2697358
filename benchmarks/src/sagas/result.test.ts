import { describe, expect, it } from "vitest";
import type { ContenderName } from "./contenders.js";
import { type ContenderResult, ratiosOf, type ScenarioResult, scenarioResult } from "./result.js";
import type { Scenario } from "./scenarios.js";
import type { Figures } from "./turn.js";

const figures = (stepsPerSecond: number, more: Partial<Figures> = {}): Figures => ({
  ...{ stepsPerSecond, p50Ms: 1, p99Ms: 1, cpuUs: 1, serverCpuUs: 1, bytes: 1, commits: null, growth: null },
  ...{ runs: 1, notes: [], ...more },
});
const contender = (name: ContenderName, scenarios: readonly ScenarioResult[]): ContenderResult => ({
  ...{ name, title: name, node: "20", durability: "", scenarios },
});
const speed = (name: Scenario["name"], stepsPerSecond: number): ScenarioResult =>
  scenarioResult(name, [figures(stepsPerSecond)]);

describe("a result", () => {
  it("keeps the middle of the rounds and how far they lie apart", () => {
    const { stepsPerSecond, runs, growth } = scenarioResult("five-100", [
      figures(100, { growth: 1 }),
      figures(300, { growth: 3 }),
      figures(110),
    ]);
    expect(stepsPerSecond).toEqual({ median: 110, min: 100, max: 300 });
    expect(growth).toEqual({ median: 2, min: 1, max: 3 });
    expect(runs).toBe(3);
  });

  it("gives no ratio when one of its sides was not measured", () => {
    const ratios = ratiosOf([contender("clean-arch-postgres", [speed("five-100", 1_000)])]);
    expect(new Set(Object.values(ratios))).toEqual(new Set([null]));
  });

  it("compares ours with each peer at 100 in flight, with the floor at 500, and alone with six commits", () => {
    const ratios = ratiosOf([
      contender("clean-arch-postgres", [
        scenarioResult("five-1", [figures(1, { p50Ms: 6 })]),
        speed("five-100", 2_000),
        speed("five-500", 3_000),
        scenarioResult("thousand", [figures(1, { growth: 1.01 })]),
      ]),
      contender("dbos", [speed("five-100", 40), speed("five-500", 1)]),
      contender("openworkflow-postgres", [speed("five-100", 20)]),
      contender("restate", [speed("five-100", 100)]),
      contender("bullmq", [speed("five-100", 1_000)]),
      contender("clean-arch-two-instances", [speed("five-100", 2_200)]),
      contender("clean-arch-sqlite", [speed("five-100", 900)]),
      contender("openworkflow-sqlite", [speed("five-100", 18)]),
      contender("floor", [speed("floor", 4_000), scenarioResult("six-commits", [figures(1, { p50Ms: 5 })])]),
    ]);
    expect(ratios).toEqual({
      ...{ vs_dbos: 50, vs_openworkflow: 100, vs_restate: 20, vs_bullmq: 2, of_floor: 0.75 },
      ...{ latency_vs_six_commits: 1.2, step_growth: 1.01, two_instances_vs_one: 1.1, sqlite_vs_openworkflow: 50 },
    });
  });
});
