import type { Targets } from "../ratios.js";
import type { RatioName } from "./result.js";

/** What each ratio has to reach, and which way is good. */
export const TARGETS: Targets<RatioName> = {
  items_per_s: {
    text: "items/s of one million that do nothing, 100 to a chunk, on PostgreSQL",
    at: 100_000,
    least: true,
  },
  vs_bullmq_single: { text: "items/s, of BullMQ's with a job for each item, added in bulk", at: 15, least: true },
  vs_bullmq_chunked: {
    text: "items/s, of BullMQ's with a job for each 100 items, on a Redis that persists nothing",
    at: 0.5,
    least: true,
  },
  peak_mb: { text: "MB of memory that our process has at most, from its start to its end", at: 300, least: false },
  start_with_100k_sleepers: {
    text: "ms from start to end of a run of one step while 100,000 workflows sleep, of that without them",
    at: 1.2,
    least: false,
  },
  wake_10k_s: { text: "s from the instant at which 10,000 workflows wake to the end of the last", at: 5, least: false },
};
