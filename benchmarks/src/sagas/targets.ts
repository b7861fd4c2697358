import type { Targets } from "../ratios.js";
import type { RatioName } from "./result.js";

/** What each ratio has to reach, and which way is good. */
export const TARGETS: Targets<RatioName> = {
  vs_dbos: { text: "steps/s against DBOS", at: 40, least: true },
  vs_openworkflow: { text: "steps/s against OpenWorkflow on PostgreSQL", at: 60, least: true },
  vs_restate: { text: "steps/s against Restate, one node", at: 15, least: true },
  vs_bullmq: { text: "steps/s against BullMQ on a Redis that persists nothing", at: 1.8, least: true },
  of_floor: {
    text: "steps/s against the recorded statements sent by a bare client, 500 in flight",
    at: 0.6,
    least: true,
  },
  latency_vs_six_commits: { text: "p50 of one saga alone against six single-row commits", at: 1.5, least: false },
  step_growth: { text: "step 901-1,000 of a run of 1,000 against step 1-100", at: 1.15, least: false },
  two_instances_vs_one: { text: "two instances on one database against one", at: 1, least: true },
  sqlite_vs_openworkflow: { text: "steps/s on SQLite against OpenWorkflow on SQLite", at: 40, least: true },
};
