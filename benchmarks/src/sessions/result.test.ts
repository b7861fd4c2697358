import { expect, it } from "vitest";
import type { ContenderName } from "./contenders.js";
import { sessionTables } from "./readme-table.js";
import { type ContenderResult, ratiosOf, type ScenarioResult, scenarioResult } from "./result.js";
import type { ScenarioName } from "./scenarios.js";
import { SESSION_SUITE } from "./suite.js";
import type { Figures } from "./turn.js";

const figures = (requestsPerSecond: number, commands: number): Figures => ({
  ...{
    requestsPerSecond,
    p50Ms: 1,
    p99Ms: 1,
    cpuUs: 1,
    redisCpuUs: 1,
    loadCpuUs: 1,
    redisBytesIn: 1,
    redisBytesOut: 1,
  },
  ...{
    counted: { commands, roundTrips: commands, waits: commands, names: { GETEX: commands } },
    requests: 1,
    notes: [],
  },
});
const speed = (name: ScenarioName, requestsPerSecond: number, commands = 1): ScenarioResult =>
  scenarioResult(name, [figures(requestsPerSecond, commands)]);
const contender = (name: ContenderName, scenarios: readonly ScenarioResult[]): ContenderResult => ({
  ...{ name, title: name, node: "20", settings: "", scenarios },
});
const peers = [
  contender("fastify-session", [speed("read-2k", 40, 2), speed("write-2k", 30, 2), speed("read-2k-1ms", 20, 2)]),
  contender("fastify-session-not-rolling", [speed("read-2k", 80)]),
  contender("express-session", [speed("read-2k", 20, 2), speed("write-2k", 10, 2), speed("read-2k-1ms", 5, 2)]),
  contender("getex-route", [speed("read-2k", 125)]),
  contender("bare-server", [speed("read-2k", 200)]),
  contender("bare-express", [speed("read-2k", 50)]),
];

it("compares our plugin with everybody, and our middleware with what runs on Express", () => {
  const ours = contender("clean-arch-fastify", [
    ...[speed("read-2k", 100), speed("write-2k", 90, 1.1), speed("read-2k-1ms", 60), speed("anonymous", 150, 0)],
  ]);
  expect(ratiosOf([ours, contender("clean-arch-express", [speed("read-2k", 30)]), ...peers])).toEqual({
    ...{ vs_fastify_session: 2.5, vs_express_session: 5, of_getex_route: 0.8, of_bare_server: 0.5 },
    ...{ commands_per_read: 1, round_trips_per_read: 1, commands_anonymous: 0 },
    ...{ express_vs_express_session: 1.5, express_of_bare_express: 0.6, vs_fastify_session_not_rolling: 1.25 },
    ...{ vs_fastify_session_writing: 3, vs_express_session_writing: 9 },
    ...{ vs_fastify_session_at_1ms: 3, vs_express_session_at_1ms: 12 },
  });
});

it("gives no ratio where ours was not measured", () => {
  expect(new Set(Object.values(ratiosOf(peers)))).toEqual(new Set([null]));
});

it("shows speed by scenario and what a read sends, in the README", () => {
  const machine = { cpu: "a CPU", cores: 2, memoryGiB: 24, system: "", versions: { Redis: "7" } };
  const tables = sessionTables({
    ...{ suite: "sessions", date: "2026-11-28", quick: false, rounds: 5, failures: [], contenders: peers },
    ...{ machine: { ...machine, redisSettings: "", addedRoundTripMs: 1 }, ratios: ratiosOf(peers) },
  });
  expect(tables).toContain("| fastify-session |  | 40 |  | 30 | 20 |  | 1 ms | GETEX |");
  expect(tables).toContain("| `vs_fastify_session` | not measured | at least 2.4 |");
});

it("has scenarios for --quick that exist", () => {
  const names = SESSION_SUITE.scenarios.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining([...SESSION_SUITE.quick]));
});
