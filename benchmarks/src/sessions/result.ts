import type { Machine } from "../machine.js";
import { quotient, type Ratios } from "../ratios.js";
import { knownSpread, roundedSpread, type Spread } from "../statistics.js";
import type { SuiteResult } from "../suite.js";
import type { ContenderName } from "./contenders.js";
import type { ScenarioName } from "./scenarios.js";
import type { Figures } from "./turn.js";

/** What the bench gives: its last line of output, and `results/sessions.json`. */
export interface SessionResult extends SuiteResult {
  readonly suite: "sessions";
  readonly machine: SessionMachine;
  readonly contenders: readonly ContenderResult[];
  readonly ratios: Ratios<RatioName>;
}

export interface SessionMachine extends Machine {
  readonly redisSettings: string;
  /** What the scenario that asks for 1 ms really adds to a round trip, alone on its connection, ms. */
  readonly addedRoundTripMs: number;
}

export interface ContenderResult {
  readonly name: ContenderName;
  readonly title: string;
  readonly node: string;
  readonly settings: string;
  readonly scenarios: readonly ScenarioResult[];
}

/** Per request, where nothing else is said; see `Figures`. */
export interface ScenarioResult {
  readonly name: ScenarioName;
  readonly requestsPerSecond: Spread;
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  readonly cpuUs: Spread;
  readonly redisCpuUs: Spread;
  readonly loadCpuUs: Spread;
  readonly redisBytesIn: Spread;
  readonly redisBytesOut: Spread;
  readonly commands: Spread | null;
  readonly roundTrips: Spread | null;
  /** Commands by name, of the last round. */
  readonly commandNames: Readonly<Record<string, number>>;
  /** In all rounds together. */
  readonly requests: number;
  readonly notes: readonly string[];
}

export type RatioName =
  | "vs_fastify_session"
  | "vs_express_session"
  | "of_getex_route"
  | "commands_per_read"
  | "round_trips_per_read"
  | "commands_anonymous"
  | "express_vs_express_session"
  | "vs_fastify_session_not_rolling"
  | "vs_fastify_session_writing"
  | "vs_express_session_writing"
  | "vs_fastify_session_at_1ms"
  | "vs_express_session_at_1ms"
  | "of_bare_server"
  | "express_of_bare_express";

export function scenarioResult(name: ScenarioName, rounds: readonly Figures[]): ScenarioResult {
  const of = (value: (figures: Figures) => number): Spread => roundedSpread(rounds.map(value));
  return {
    name,
    requestsPerSecond: of(({ requestsPerSecond }) => requestsPerSecond),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    cpuUs: of(({ cpuUs }) => cpuUs),
    redisCpuUs: of(({ redisCpuUs }) => redisCpuUs),
    loadCpuUs: of(({ loadCpuUs }) => loadCpuUs),
    redisBytesIn: of(({ redisBytesIn }) => redisBytesIn),
    redisBytesOut: of(({ redisBytesOut }) => redisBytesOut),
    commands: knownSpread(rounds.map(({ counted }) => counted?.commands ?? null)),
    roundTrips: knownSpread(rounds.map(({ counted }) => counted?.roundTrips ?? null)),
    commandNames: rounds.at(-1)?.counted?.names ?? {},
    requests: rounds.reduce((sum, { requests }) => sum + requests, 0),
    notes: [...new Set(rounds.flatMap(({ notes }) => notes))],
  };
}

/** Speed is that of reading 2 kB, where the name does not say otherwise; ours is the Fastify plugin, where it does not say Express. */
export function ratiosOf(contenders: readonly ContenderResult[]): Ratios<RatioName> {
  const result = (contender: ContenderName, scenario: ScenarioName): ScenarioResult | undefined =>
    contenders.find(({ name }) => name === contender)?.scenarios.find(({ name }) => name === scenario);
  const speed = (contender: ContenderName, scenario: ScenarioName): number | undefined =>
    result(contender, scenario)?.requestsPerSecond.median;
  const ours = (peer: ContenderName, scenario: ScenarioName = "read-2k"): number | null =>
    quotient(speed("clean-arch-fastify", scenario), speed(peer, scenario));
  const oursOnExpress = (peer: ContenderName): number | null =>
    quotient(speed("clean-arch-express", "read-2k"), speed(peer, "read-2k"));
  const read = result("clean-arch-fastify", "read-2k");
  return {
    vs_fastify_session: ours("fastify-session"),
    vs_express_session: ours("express-session"),
    of_getex_route: ours("getex-route"),
    commands_per_read: quotient(read?.commands?.median, 1),
    round_trips_per_read: quotient(read?.roundTrips?.median, 1),
    commands_anonymous: quotient(result("clean-arch-fastify", "anonymous")?.commands?.median, 1),
    express_vs_express_session: oursOnExpress("express-session"),
    vs_fastify_session_not_rolling: ours("fastify-session-not-rolling"),
    vs_fastify_session_writing: ours("fastify-session", "write-2k"),
    vs_express_session_writing: ours("express-session", "write-2k"),
    vs_fastify_session_at_1ms: ours("fastify-session", "read-2k-1ms"),
    vs_express_session_at_1ms: ours("express-session", "read-2k-1ms"),
    of_bare_server: ours("bare-server"),
    express_of_bare_express: oursOnExpress("bare-express"),
  };
}
