import { describe, expect, it } from "vitest";
import type { ContenderName } from "./contenders.js";
import { type ContenderResult, detailsOf, ratiosOf, type ScenarioResult, scenarioResult } from "./result.js";
import type { Figures } from "./turn.js";

const figures = (perSecond: number | null, more: Partial<Figures> = {}): Figures => ({
  ...{ perSecond, p50Ms: 1, p99Ms: 1, cpuUs: 1, databaseCpuUs: 1, brokerCpuUs: 1, acts: 10, ...more },
});
const contender = (name: ContenderName, ...scenarios: readonly ScenarioResult[]): ContenderResult => ({
  ...{ name, title: name, durability: "", scenarios },
});
const events = (perSecond: number): ScenarioResult => scenarioResult("event-100", [figures(perSecond)]);
const sagas = (perSecond: number): ScenarioResult => scenarioResult("saga-100", [figures(perSecond)]);
const idle = (p50Ms: number, p99Ms: number): ScenarioResult =>
  scenarioResult("event-idle", [figures(null, { p50Ms, p99Ms })]);

describe("a result of events", () => {
  it("keeps the middle of the rounds and how far they lie apart, and no speed of an idle system", () => {
    const rounds = [100, 300, 110].map((perSecond) => figures(perSecond, { p50Ms: perSecond / 10 }));
    const { perSecond, p50Ms, acts } = scenarioResult("event-100", rounds);
    expect(perSecond).toEqual({ median: 110, min: 100, max: 300 });
    expect(p50Ms).toEqual({ median: 11, min: 10, max: 30 });
    expect(acts).toBe(30);
    expect(idle(3, 9).perSecond).toBeNull();
  });

  it("gives no ratio when one of its sides was not measured", () => {
    const contenders = [contender("clean-arch-events", events(1_000)), contender("choreographed-nats", sagas(9))];
    expect(new Set(Object.values({ ...ratiosOf(contenders), ...detailsOf(contenders) }))).toEqual(new Set([null]));
  });

  it("compares each of ours with its own other side", () => {
    const contenders = [
      contender("clean-arch-events", events(3_000), idle(4, 12)),
      contender("clean-arch-events-within", events(1_500), idle(5, 15)),
      contender("bare-jetstream", events(5_000), idle(0.7, 2)),
      contender("orchestrated-postgres", sagas(4_000)),
      contender("choreographed-postgres", sagas(1_000)),
      contender("choreographed-nats", sagas(900)),
      contender("bare-hops", sagas(3_000)),
      contender("orchestrated-sqlite", sagas(2_000)),
      contender("choreographed-sqlite", sagas(300)),
    ];
    expect(ratiosOf(contenders)).toEqual({
      of_bare_jetstream: 0.6,
      idle_latency_ms_p50: 4,
      choreographed_vs_orchestrated: 0.25,
      choreographed_of_bare_hops: 0.3,
    });
    expect(detailsOf(contenders)).toEqual({
      within_transactions_of_bare_jetstream: 0.3,
      idle_latency_ms_p99: 12,
      idle_latency_ms_p50_bare_jetstream: 0.7,
      choreographed_vs_orchestrated_sqlite: 0.15,
    });
  });
});
