import type { Targets } from "../ratios.js";
import type { RatioName } from "./result.js";

/** What each ratio has to reach, and which way is good. */
export const TARGETS: Targets<RatioName> = {
  of_bare_jetstream: {
    text: "events/s from commit to handled effect, of bare JetStream's from publish to acknowledged; 100 in flight",
    at: 0.5,
    least: true,
  },
  idle_latency_ms_p50: {
    text: "ms from commit to handler, one event at a time on an idle system",
    at: 10,
    least: false,
  },
  choreographed_vs_orchestrated: {
    text: "sagas/s choreographed against orchestrated, on PostgreSQL; 100 in flight",
    at: 0.5,
    least: true,
  },
  choreographed_of_bare_hops: {
    text: "sagas/s choreographed over NATS, of bare JetStream's chains of as many hops; 100 in flight",
    at: 0.5,
    least: true,
  },
};
