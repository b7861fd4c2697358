import { describe, expect, it } from "vitest";
import { type Fault, faultSchedule, MOST_SKEW_MS } from "./fault-schedule.js";

const leaseMs = 3_000;
const minutes = (count: number, seed = 1) => faultSchedule({ seed, lengthMs: count * 60_000, leaseMs });
const of = (kind: Fault["kind"], count = 10, seed = 1) =>
  minutes(count, seed).filter(({ fault }) => fault.kind === kind);

describe("the faults of a seed", () => {
  it("are always the same, and others for another seed", () => {
    expect(minutes(10)).toEqual(minutes(10));
    expect(minutes(10, 2)).not.toEqual(minutes(10));
  });

  it("begin the same, however long it goes on", () => {
    const short = minutes(1);
    expect(minutes(10).filter(({ at }) => at < 60_000)).toEqual(short);
  });

  it.each([1, 2, 3, 4, 5])("hold in 10 minutes at least 200 kills and 20 restarts: seed %i", (seed) => {
    expect(of("kill", 10, seed).length).toBeGreaterThan(220);
    expect(of("restart", 10, seed).length).toBeGreaterThan(21);
  });

  it("hold some of every kind in 25 seconds", () => {
    const kinds = new Set(minutes(25 / 60).map(({ fault }) => fault.kind));
    expect(kinds.size).toBe(11);
  });

  it("outlast the lease where that is the point, and stay within an hour of skew", () => {
    for (const { fault } of minutes(10)) {
      if (fault.kind === "stop" || fault.kind === "stall") expect(fault.forMs).toBeGreaterThan(leaseMs);
      if (fault.kind === "skew") expect(Math.abs(fault.skewMs)).toBeLessThanOrEqual(MOST_SKEW_MS);
    }
  });
});
