import type { Machine } from "../machine.js";
import { quotient, type Ratios } from "../ratios.js";
import { knownSpread, roundedSpread, type Spread } from "../statistics.js";
import type { SuiteResult } from "../suite.js";
import type { ContenderName } from "./contenders.js";
import type { Scenario } from "./scenarios.js";
import type { Figures } from "./turn.js";

/** What the bench gives: its last line of output, and `results/sagas.json`. */
export interface SagaResult extends SuiteResult {
  readonly suite: "sagas";
  readonly machine: SagaMachine;
  readonly contenders: readonly ContenderResult[];
  readonly ratios: Ratios<RatioName>;
}

export interface SagaMachine extends Machine {
  readonly postgresDurability: string;
}

export interface ContenderResult {
  readonly name: ContenderName;
  readonly title: string;
  readonly node: string;
  readonly durability: string;
  readonly scenarios: readonly ScenarioResult[];
}

export interface ScenarioResult {
  readonly name: Scenario["name"];
  readonly stepsPerSecond: Spread;
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  readonly cpuUsPerStep: Spread;
  readonly serverCpuUsPerStep: Spread;
  readonly bytesPerStep: Spread;
  readonly commitsPerStep: Spread | null;
  readonly growth: Spread | null;
  /** In all rounds together. */
  readonly runs: number;
  readonly notes: readonly string[];
}

export type RatioName =
  | "vs_dbos"
  | "vs_openworkflow"
  | "vs_restate"
  | "vs_bullmq"
  | "of_floor"
  | "latency_vs_six_commits"
  | "step_growth"
  | "two_instances_vs_one"
  | "sqlite_vs_openworkflow";

export function scenarioResult(name: Scenario["name"], rounds: readonly Figures[]): ScenarioResult {
  const of = (value: (figures: Figures) => number): Spread => roundedSpread(rounds.map(value));
  const known = (value: (figures: Figures) => number | null): Spread | null => knownSpread(rounds.map(value));
  return {
    name,
    stepsPerSecond: of(({ stepsPerSecond }) => stepsPerSecond),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    cpuUsPerStep: of(({ cpuUs }) => cpuUs),
    serverCpuUsPerStep: of(({ serverCpuUs }) => serverCpuUs),
    bytesPerStep: of(({ bytes }) => bytes),
    commitsPerStep: known(({ commits }) => commits),
    growth: known(({ growth }) => growth),
    runs: rounds.reduce((sum, { runs }) => sum + runs, 0),
    notes: [...new Set(rounds.flatMap(({ notes }) => notes))],
  };
}

export function ratiosOf(contenders: readonly ContenderResult[]): Ratios<RatioName> {
  const result = (contender: ContenderName, scenario: Scenario["name"]): ScenarioResult | undefined =>
    contenders.find(({ name }) => name === contender)?.scenarios.find(({ name }) => name === scenario);
  const speed = (contender: ContenderName, scenario: Scenario["name"]): number | undefined =>
    result(contender, scenario)?.stepsPerSecond.median;
  const against = (peer: ContenderName): number | null =>
    quotient(speed("clean-arch-postgres", "five-100"), speed(peer, "five-100"));
  return {
    vs_dbos: against("dbos"),
    vs_openworkflow: against("openworkflow-postgres"),
    vs_restate: against("restate"),
    vs_bullmq: against("bullmq"),
    of_floor: quotient(speed("clean-arch-postgres", "five-500"), speed("floor", "floor")),
    latency_vs_six_commits: quotient(
      result("clean-arch-postgres", "five-1")?.p50Ms.median,
      result("floor", "six-commits")?.p50Ms.median,
    ),
    step_growth: quotient(result("clean-arch-postgres", "thousand")?.growth?.median, 1),
    two_instances_vs_one: quotient(
      speed("clean-arch-two-instances", "five-100"),
      speed("clean-arch-postgres", "five-100"),
    ),
    sqlite_vs_openworkflow: quotient(speed("clean-arch-sqlite", "five-100"), speed("openworkflow-sqlite", "five-100")),
  };
}
