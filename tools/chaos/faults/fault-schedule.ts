import type { Draws } from "../seeded.js";
import { type Planned, plannedFaults } from "./planned-faults.js";

/** One thing that goes wrong. Which instance it hits is drawn when it happens, among those that can take it then. */
export type Fault =
  /** SIGKILL. */
  | { readonly kind: "kill"; readonly bootAfterMs: number }
  /** SIGSTOP, longer than the lease, then SIGCONT. */
  | { readonly kind: "stop"; readonly forMs: number }
  /** The event loop is busy for longer than the lease. */
  | { readonly kind: "stall"; readonly forMs: number }
  /** The network between one instance and the database is down, in one direction or both; nobody is told. */
  | { readonly kind: "partition"; readonly forMs: number; readonly partition: "requests" | "replies" | "both" }
  /** One instance's connections carry nothing any more, and stay open. */
  | { readonly kind: "silence" }
  /** One instance's connections break. */
  | { readonly kind: "reset" }
  /** The reply to a request of one instance is lost after the request was carried out. */
  | { readonly kind: "swallow"; readonly commit: boolean; readonly silent: boolean }
  | {
      readonly kind: "slow";
      readonly forMs: number;
      readonly latencyMs: number;
      readonly jitterMs: number;
      readonly sliceBytes: number;
    }
  /** PostgreSQL stops as in a crash and starts again. */
  | { readonly kind: "restart"; readonly downMs: number }
  /** Server processes of some connections are ended. */
  | { readonly kind: "terminate"; readonly share: number }
  /** An instance's clock jumps. */
  | { readonly kind: "skew"; readonly skewMs: number };

export type PlannedFault = Planned<Fault>;

export interface ScheduleOptions {
  readonly seed: number;
  readonly lengthMs: number;
  readonly leaseMs: number;
  /** 0.5: half as many faults in the same time, for a machine that is busy with other things. Default 1. */
  readonly pace?: number;
}

/** The mean time between two faults of a kind, ms; each interval is up to a quarter shorter or longer. */
const EVERY_MS: Readonly<Record<Fault["kind"], number>> = {
  ...{ kill: 2_400, restart: 24_000, stop: 12_000, stall: 25_000, partition: 20_000, silence: 15_000 },
  ...{ reset: 6_000, swallow: 1_200, slow: 9_000, terminate: 5_000, skew: 6_000 },
};

/** No instance's clock is more wrong than that, ms. */
export const MOST_SKEW_MS = 3_600_000;

/** What goes wrong when: for one seed always the same, and for a longer time the same at first. */
export function faultSchedule({ seed, lengthMs, leaseMs, pace = 1 }: ScheduleOptions): PlannedFault[] {
  const draw = (kind: Fault["kind"], draws: Draws) => drawFault(kind, draws, leaseMs);
  return plannedFaults({ purpose: [seed, "fault"], lengthMs, pace, everyMs: EVERY_MS, draw });
}

function drawFault(kind: Fault["kind"], draws: Draws, leaseMs: number): Fault {
  switch (kind) {
    case "kill":
      return { kind, bootAfterMs: draws.chance(0.5) ? 0 : draws.between(0, 1_500) };
    case "stop":
      return { kind, forMs: leaseMs * draws.between(1.1, 2.2) };
    case "stall":
      return { kind, forMs: leaseMs * draws.between(1.1, 1.6) };
    case "partition":
      return { kind, forMs: leaseMs * draws.between(0.5, 2.5), partition: draws.pick(["requests", "replies", "both"]) };
    case "swallow":
      return { kind, commit: draws.chance(0.4), silent: draws.chance(0.1) };
    case "slow":
      return {
        kind,
        forMs: draws.between(500, 3_000),
        latencyMs: draws.between(5, 120),
        jitterMs: draws.between(0, 80),
        sliceBytes: draws.chance(0.3) ? Math.ceil(draws.between(16, 400)) : 0,
      };
    case "restart":
      return { kind, downMs: draws.between(0, 2_000) };
    case "terminate":
      return { kind, share: draws.chance(0.2) ? 1 : draws.between(0.05, 0.3) };
    case "skew":
      return { kind, skewMs: Math.round(draws.between(-MOST_SKEW_MS, MOST_SKEW_MS)) };
    case "silence":
    case "reset":
      return { kind };
  }
}
