import type { NodeChoice } from "../node-binary.js";
import type { Scenario, ScenarioName } from "./scenarios.js";

export type ContenderName =
  | "clean-arch-postgres"
  | "clean-arch-postgres-newer-node"
  | "clean-arch-two-instances"
  | "clean-arch-sqlite"
  | "clean-arch-sqlite-newer-node"
  | "dbos"
  | "openworkflow-postgres"
  | "openworkflow-sqlite"
  | "restate"
  | "bullmq"
  | "floor";

/** Who takes part, with what, and what is durable when a step counts as done. The settings and their reasons stand in each program. */
export interface Contender {
  readonly name: ContenderName;
  readonly title: string;
  /** Compiled program relative to `dist/`, and its arguments. */
  readonly program: string;
  readonly args: readonly string[];
  readonly node: NodeChoice;
  readonly server: "postgres" | "sqlite" | "restate" | "redis";
  /** Processes that share the load. */
  readonly instances: number;
  readonly durability: string;
  /** What this contender is measured in. */
  readonly takes: (scenario: Scenario) => boolean;
}

const POSTGRES = "PostgreSQL, fsync and synchronous_commit on: durable when the step counts";
const SQLITE = "SQLite, write-ahead log, synchronous=FULL: durable when the step counts";
const CORE: ReadonlySet<string> = new Set<ScenarioName>(["five-1", "five-100", "five-500"]);
const isSaga = (scenario: Scenario): boolean => scenario.kind === "saga";
const isCore = ({ name }: Scenario): boolean => CORE.has(name);

const ours = { program: "ours/clean-arch.js", args: [], node: "own", instances: 1, takes: isSaga } as const;
const postgres = { server: "postgres", durability: POSTGRES } as const;
const sqlite = { server: "sqlite", durability: SQLITE } as const;
const peer = { args: [], node: "own", instances: 1, takes: isSaga } as const;

export const CONTENDERS: readonly Contender[] = [
  { ...ours, ...postgres, name: "clean-arch-postgres", title: "clean-arch, PostgreSQL" },
  { ...peer, ...postgres, name: "dbos", title: "DBOS 5.3, PostgreSQL", program: "peers/dbos.js" },
  {
    ...{ ...peer, ...postgres, name: "openworkflow-postgres", title: "OpenWorkflow 0.10, PostgreSQL" },
    ...{ program: "peers/openworkflow.js", args: ["postgres"] },
  },
  {
    ...{ ...peer, name: "restate", title: "Restate 1.7, one node", program: "peers/restate.js", node: "newer" },
    server: "restate",
    durability: "Restate's log on one node, synced at each batch: durable when the step counts",
  },
  {
    ...{ ...peer, name: "bullmq", title: "BullMQ 6.7, Redis", program: "peers/bullmq.js", server: "redis" },
    durability: "none: Redis without a file",
  },
  { ...ours, ...sqlite, name: "clean-arch-sqlite", title: "clean-arch, SQLite", args: ["sqlite"] },
  {
    ...{ ...peer, ...sqlite, name: "openworkflow-sqlite", title: "OpenWorkflow 0.10, SQLite", node: "newer" },
    ...{ program: "peers/openworkflow.js", args: ["sqlite"] },
  },
  {
    ...{ ...ours, ...postgres, name: "clean-arch-postgres-newer-node", title: "clean-arch, PostgreSQL, newer Node" },
    ...{ node: "newer", takes: isCore },
  },
  {
    ...{ ...ours, ...sqlite, name: "clean-arch-sqlite-newer-node", title: "clean-arch, SQLite, newer Node" },
    ...{ args: ["sqlite"], node: "newer", takes: isCore },
  },
  {
    ...{ ...ours, ...postgres, name: "clean-arch-two-instances", title: "clean-arch, PostgreSQL, two instances" },
    ...{ instances: 2, takes: ({ name }) => name === "five-100" || name === "five-500" },
  },
  {
    ...{ ...ours, ...postgres, name: "floor", title: "a bare pg client", program: "floor/floor.js" },
    takes: ({ kind }) => kind !== "saga",
  },
];
