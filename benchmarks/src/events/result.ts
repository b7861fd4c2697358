import type { Machine } from "../machine.js";
import { quotient, type Ratios } from "../ratios.js";
import { knownSpread, roundedSpread, type Spread } from "../statistics.js";
import type { SuiteResult } from "../suite.js";
import type { ContenderName } from "./contenders.js";
import type { ScenarioName } from "./scenarios.js";
import type { Figures } from "./turn.js";

/** What the bench gives: its last line of output, and `results/events.json`. */
export interface EventResult extends SuiteResult {
  readonly suite: "events";
  readonly machine: EventMachine;
  readonly contenders: readonly ContenderResult[];
  readonly ratios: Ratios<RatioName>;
  readonly details: Ratios<DetailName>;
}

export interface EventMachine extends Machine {
  readonly postgresDurability: string;
  readonly natsDurability: string;
}

export interface ContenderResult {
  readonly name: ContenderName;
  readonly title: string;
  readonly durability: string;
  readonly scenarios: readonly ScenarioResult[];
}

/** An act is an event or a saga; see `Figures`. */
export interface ScenarioResult {
  readonly name: ScenarioName;
  readonly perSecond: Spread | null;
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  readonly cpuUs: Spread;
  readonly databaseCpuUs: Spread;
  readonly brokerCpuUs: Spread;
  /** In all rounds together. */
  readonly acts: number;
}

export type RatioName =
  | "of_bare_jetstream"
  | "idle_latency_ms_p50"
  | "choreographed_vs_orchestrated"
  | "choreographed_of_bare_hops";

/** What is worth knowing beside the ratios, and has nothing to reach. */
export type DetailName =
  | "within_transactions_of_bare_jetstream"
  | "idle_latency_ms_p99"
  | "idle_latency_ms_p50_bare_jetstream"
  | "choreographed_vs_orchestrated_sqlite";

export function scenarioResult(name: ScenarioName, rounds: readonly Figures[]): ScenarioResult {
  const of = (value: (figures: Figures) => number): Spread => roundedSpread(rounds.map(value));
  return {
    name,
    perSecond: knownSpread(rounds.map(({ perSecond }) => perSecond)),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    cpuUs: of(({ cpuUs }) => cpuUs),
    databaseCpuUs: of(({ databaseCpuUs }) => databaseCpuUs),
    brokerCpuUs: of(({ brokerCpuUs }) => brokerCpuUs),
    acts: rounds.reduce((sum, { acts }) => sum + acts, 0),
  };
}

export function ratiosOf(contenders: readonly ContenderResult[]): Ratios<RatioName> {
  const { speed, idle } = lookUp(contenders);
  return {
    of_bare_jetstream: quotient(speed("clean-arch-events"), speed("bare-jetstream")),
    idle_latency_ms_p50: quotient(idle("clean-arch-events")?.p50Ms.median, 1),
    choreographed_vs_orchestrated: quotient(speed("choreographed-postgres"), speed("orchestrated-postgres")),
    choreographed_of_bare_hops: quotient(speed("choreographed-nats"), speed("bare-hops")),
  };
}

export function detailsOf(contenders: readonly ContenderResult[]): Ratios<DetailName> {
  const { speed, idle } = lookUp(contenders);
  return {
    within_transactions_of_bare_jetstream: quotient(speed("clean-arch-events-within"), speed("bare-jetstream")),
    idle_latency_ms_p99: quotient(idle("clean-arch-events")?.p99Ms.median, 1),
    idle_latency_ms_p50_bare_jetstream: quotient(idle("bare-jetstream")?.p50Ms.median, 1),
    choreographed_vs_orchestrated_sqlite: quotient(speed("choreographed-sqlite"), speed("orchestrated-sqlite")),
  };
}

function lookUp(contenders: readonly ContenderResult[]) {
  const scenarios = (contender: ContenderName): readonly ScenarioResult[] =>
    contenders.find(({ name }) => name === contender)?.scenarios ?? [];
  return {
    /** With 100 in flight. */
    speed: (contender: ContenderName): number | undefined =>
      scenarios(contender).find(({ name }) => name === "event-100" || name === "saga-100")?.perSecond?.median,
    idle: (contender: ContenderName): ScenarioResult | undefined =>
      scenarios(contender).find(({ name }) => name === "event-idle"),
  };
}
