import type { ConsumerCounts } from "../events/consumer-counts.js";
import type { ParkedEvents } from "../events/parked-events.js";
import type { RelayCounts } from "../events/relay-counts.js";

/** The events of choreographed sagas. */
export interface SagaEvents {
  /** Of this process since it started: what it reacted to, and what it brought to the broker. */
  readonly counts: Readonly<ConsumerCounts> & Readonly<Pick<RelayCounts, "published" | "rewound">>;
  /** Of all processes, by group: those that no reaction to was possible, and those that the broker never takes. */
  readonly parked: readonly { readonly group: string; readonly parked: ParkedEvents }[];
}
