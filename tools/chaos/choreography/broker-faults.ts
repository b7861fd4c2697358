import { type Planned, plannedFaults } from "../faults/planned-faults.js";
import type { Draws } from "../seeded.js";

/** One thing that goes wrong with NATS. */
export type BrokerFault =
  /** SIGKILL, and a start. `keeps`: what it has on the disk then is copied aside. */
  | { readonly kind: "nats-kill"; readonly downMs: number; readonly keeps: boolean }
  /** SIGSTOP, then SIGCONT. */
  | { readonly kind: "nats-pause"; readonly forMs: number }
  /** It stops, and comes back with the older copy. `messagesOnly`: its consumers stay where they were. */
  | { readonly kind: "nats-rewind"; readonly downMs: number; readonly messagesOnly: boolean }
  /** Somebody deletes the group, or the whole stream. */
  | { readonly kind: "group-deleted" }
  | { readonly kind: "stream-deleted" }
  /** Events of any time are published again under their ids, in any order. */
  | { readonly kind: "duplicates"; readonly count: number };

/** The mean time between two faults of a kind, ms. */
const EVERY_MS: Readonly<Record<BrokerFault["kind"], number>> = {
  ...{ "nats-kill": 7_000, "nats-pause": 10_000, "nats-rewind": 11_000 },
  ...{ "group-deleted": 11_000, "stream-deleted": 19_000, duplicates: 3_000 },
};

/** For one seed always the same, and for a longer time the same at first. */
export function brokerFaults(seed: number, lengthMs: number, pace: number): Planned<BrokerFault>[] {
  return plannedFaults({ purpose: [seed, "broker fault"], lengthMs, pace, everyMs: EVERY_MS, draw });
}

function draw(kind: BrokerFault["kind"], draws: Draws): BrokerFault {
  switch (kind) {
    case "nats-kill":
      return { kind, downMs: draws.chance(0.4) ? 0 : draws.between(0, 3_000), keeps: draws.chance(0.7) };
    case "nats-pause":
      return { kind, forMs: draws.between(300, 6_000) };
    case "nats-rewind":
      return { kind, downMs: draws.between(0, 1_000), messagesOnly: draws.chance(0.3) };
    case "duplicates":
      return { kind, count: Math.ceil(draws.between(20, 150)) };
    case "group-deleted":
    case "stream-deleted":
      return { kind };
  }
}
